#include "golden_text.hpp"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "source_dir.hpp"

namespace rehearse {
namespace {

TEST(GoldenText, TheFirstLineThatDiffersIsNamed) {
  EXPECT_EQ(first_difference("a\nb\n", "a\nb\n"), "");
  EXPECT_EQ(first_difference("a\nb\nc\n", "a\nx\ny\n"),
            "line 2:\n  expected \"b\"\n  actual   \"x\"");
  EXPECT_EQ(first_difference("a\n", "a\nb\n"),
            "line 2:\n  expected the end of the text\n  actual   \"b\"");
  EXPECT_EQ(first_difference("a\n\n", "a\n"),
            "line 2:\n  expected \"\"\n  actual   the end of the text");
  EXPECT_EQ(first_difference("a\n", "a"), "the newline at the end");
}

TEST(GoldenText, AMissingGoldenFails) {
  unsetenv("REHEARSE_UPDATE_GOLDENS");
  EXPECT_NONFATAL_FAILURE(expect_golden("no such golden", "text"), "no golden");
}

TEST(GoldenText, NoneIsWrittenInCi) {
  setenv("REHEARSE_UPDATE_GOLDENS", "1", 1);
  setenv("CI", "1", 1);
  EXPECT_NONFATAL_FAILURE(expect_golden("no such golden", "text"), "no golden");
  EXPECT_FALSE(std::filesystem::exists(REHEARSE_SOURCE_DIR "/tests/golden/no such golden.txt"));
}

}  // namespace
}  // namespace rehearse
