// Every file in tests/input/bad says in its first line, behind "# ", where and how it is refused:
// the whole message behind the file's path. FILE stands for that path, DIR for its folder. A new
// case is a new file.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "input/input.hpp"
#include "input/input_texts.hpp"
#include "input/read_device.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> bad_files() {
  std::vector<std::string> paths;
  for (const auto& entry : fs::directory_iterator(REHEARSE_SOURCE_DIR "/tests/input/bad")) {
    paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void replace(std::string& text, const std::string& word, const std::string& by) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
}

std::string promised_refusal(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::string message = path + ":" + line.substr(2);
  replace(message, "FILE", path);
  replace(message, "DIR", fs::path(path).parent_path().string());
  return message;
}

class BadFile : public testing::TestWithParam<std::string> {};

TEST_P(BadFile, IsRefusedAsItsFirstLineSays) {
  const std::string& path = GetParam();
  const std::string name = fs::path(path).filename().string();
  const std::string refusal = refusal_of([&] {
    if (name.starts_with("model-")) {
      read_model(path);
    } else if (name.starts_with("claims-")) {
      read_claims(path);
    } else if (name.starts_with("device-")) {
      read_device_sheet(path);
    } else {
      read_plan({.path = path});
    }
  });
  EXPECT_EQ(refusal, promised_refusal(path));
}

INSTANTIATE_TEST_SUITE_P(Input, BadFile, testing::ValuesIn(bad_files()), [](const auto& file) {
  std::string name = fs::path(file.param).stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(UnreadableFile, IsRefusedAtItsFirstByte) {
  EXPECT_EQ(refusal_of([] { read_plan({.path = "no/such.textproto"}); }),
            "no/such.textproto:1:1: error: a plan cannot be read: No such file or directory");
  EXPECT_EQ(refusal_of([] { read_model("no/such.json"); }),
            "no/such.json:1:1: error: a model cannot be read: No such file or directory");
  EXPECT_EQ(refusal_of([] { read_model("/"); }),
            "/:1:1: error: a model cannot be read: it is a folder");
}

TEST(EmptyFile, IsRefused) {
  const std::string path = written_file("empty.textproto", "\n \n");
  EXPECT_EQ(refusal_of([&] { read_plan({.path = path}); }),
            path + ":1:1: error: the file is empty: expected a plan");
  EXPECT_EQ(refusal_of([&] { read_model(path); }),
            path + ":1:1: error: the file is empty: expected a model");
}

TEST(LargeFile, IsReadUpTo16MiB) {
  // A comment and a line end, so long that the file has `size` bytes.
  const auto refusal_at = [](std::size_t size) {
    const std::string path = written_file("large.textproto", std::string(size - 1, '#') + "\n");
    return refusal_of([&] { read_plan({.path = path}); }).substr(path.size());
  };
  constexpr std::size_t kMost = std::size_t{16} << 20;
  EXPECT_EQ(refusal_at(kMost), ":1:1: error: model is missing: it has no default");
  EXPECT_EQ(refusal_at(kMost + 1), ":1:1: error: the file has more than 16 MiB: expected a plan");
}

TEST(ByteOrderMark, IsSkipped) {
  const std::string path = written_file("marked.textproto", "\xEF\xBB\xBFlayuot { }");
  EXPECT_EQ(refusal_of([&] { read_plan({.path = path}); }),
            path + ":1:1: error: unknown field \"layuot\" of Plan: did you mean \"layout\"?");
}

TEST(Utf8, IsWhatRfc3629Says) {
  for (const char* bad : {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80"}) {
    const std::string path = written_file("bad.textproto", std::string("# ") + bad);
    EXPECT_TRUE(
        refusal_of([&] { read_plan({.path = path}); }).starts_with(path + ":1:3: error: byte 0x"))
        << path;
  }
  const std::string path = written_file("good.textproto", "# \u00e9 \u20ac \U0001F600\n");
  EXPECT_EQ(refusal_of([&] { read_plan({.path = path}); }),
            path + ":1:1: error: model is missing: it has no default");
}

}  // namespace
}  // namespace rehearse
