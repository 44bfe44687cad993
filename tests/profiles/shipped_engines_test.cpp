// The engine files that come with the program: which there are, and that none depends on a model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "input/read_engine.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;
const std::string kEngines = REHEARSE_SOURCE_DIR "/workloads/engines";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Scripts of users and plans depend on them.
TEST(ShippedEngines, HaveTheNamesThatUsersDependOn) {
  const std::vector<std::string> names = EngineCatalog().names();
  const std::set<std::string> all(names.begin(), names.end());
  EXPECT_EQ(all, (std::set<std::string>{"deepspeed", "fastertransformer", "gpt_fast", "megatron",
                                        "sglang", "tensorrt_llm", "tensorrt_llm_0.5", "vllm",
                                        "vllm_v0"}));
}

TEST(ShippedEngines, AreAllRead) {
  const EngineCatalog catalog;
  for (const std::string& name : catalog.names()) {
    const EngineProfile engine = catalog.find(name, {});
    EXPECT_EQ(engine.name, name);
    EXPECT_TRUE(engine.library.has_value()) << name;  // who calls its collectives is known of each
  }
}

// tools/fit writes them: a number is a line of its own, in the order of the schema.
TEST(ShippedEngines, HaveANumberALineInTheOrderOfTheSchema) {
  for (const auto& entry : fs::directory_iterator(kEngines)) {
    const EngineProfile engine = read_engine_profile(entry.path());
    int line = 0;
    for (const EngineFigureRow& row : kEngineFigures) {
      const DeviceFigure* const figure = engine.find(row.id);
      if (figure == nullptr) continue;
      EXPECT_GT(figure->where.line, line) << entry.path() << " " << row.path;
      EXPECT_EQ(figure->where.column, 1) << entry.path() << " " << row.path;
      line = figure->where.line;
    }
  }
}

// An engine's numbers are those of any model: no word of a file is one's name. (That of an engine
// may look like one: gpt_fast.)
TEST(ShippedEngines, NameNoModel) {
  std::set<std::string> models = {
      "llama",      "mixtral",    "mistral",    "qwen",     "gemma",   "bloom",          "falcon",
      "palm",       "gpt-2",      "gpt-3",      "gpt-j",    "gpt-neo", "gpt2",           "gpt3",
      "gpt-oss",    "kimi",       "minimax",    "nemotron", "opt-",    "phi-",           "grok",
      "deepseek-v", "deepseek-r", "deepseek_v", "glm-",     "yi-",     "megatron-turing"};
  for (const auto& entry : fs::directory_iterator(REHEARSE_SOURCE_DIR "/workloads/models")) {
    if (entry.is_regular_file()) models.insert(lower(entry.path().stem()));
  }
  ASSERT_GT(models.count("mixtral-8x7b"), 0u);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(kEngines)) {
    const std::string text = lower(text_of(entry.path()));
    ASSERT_FALSE(text.empty());
    for (const std::string& model : models) {
      EXPECT_EQ(text.find(model), std::string::npos) << entry.path() << " names " << model;
    }
    ++files;
  }
  EXPECT_EQ(files, static_cast<int>(EngineCatalog().names().size()));
}

}  // namespace
}  // namespace rehearse
