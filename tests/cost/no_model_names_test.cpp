// Times of operators are those of any model: neither the cost models nor the numbers of a device
// name one. (A source may: a paper's title.)
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string>

#include "source_dir.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNames[] = {"llama", "mixtral", "mistral", "qwen",       "gemma", "gpt-oss",
                                  "kimi",  "minimax", "grok",    "deepseek-v", "glm-",  "nemotron",
                                  "gpt-3", "bloom",   "falcon",  "deepseek_v", "phi-",  "palm"};

int check_folder(const fs::path& folder) {
  int lines = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("source {")) continue;
      std::transform(line.begin(), line.end(), line.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      for (const char* const name : kNames) {
        EXPECT_EQ(line.find(name), std::string::npos) << entry.path() << ": " << line;
      }
      ++lines;
    }
  }
  return lines;
}

TEST(OperatorCosts, NameNoModel) {
  const fs::path root = REHEARSE_SOURCE_DIR;
  EXPECT_GT(check_folder(root / "sim" / "cost"), 100);
  EXPECT_GT(check_folder(root / "platforms" / "devices"), 100);
  EXPECT_GT(check_folder(root / "sim" / "platform"), 100);
}

}  // namespace
}  // namespace rehearse
