#include "trace/json_text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

namespace rehearse {
namespace {

std::string quoted(const std::string& text) {
  std::string literal(1, '"');
  literal += escape_json(text);
  return literal += '"';
}

TEST(EscapeJson, WhatIsValidComesBackFromAParser) {
  for (const std::string text :
       {"", "L3 qkv", "\"quoted\" \\ back", "\b\f\n\r\t\x01\x1f\x7f", "µ → \U0001F600 \u0800"}) {
    EXPECT_EQ(nlohmann::json::parse(quoted(text)), text);
  }
  EXPECT_EQ(escape_json(std::string("a\0b", 3)), "a\\u0000b");
}

TEST(EscapeJson, EachByteThatIsNotUtf8IsReplaced) {
  const std::string mark = "\uFFFD";
  EXPECT_EQ(escape_json("a\xFFz"), "a" + mark + "z");
  EXPECT_EQ(escape_json("\xC3"), mark);                                   // cut short
  EXPECT_EQ(escape_json("\xC3("), mark + "(");                            // no continuation
  EXPECT_EQ(escape_json("\xC0\xAF"), mark + mark);                        // overlong
  EXPECT_EQ(escape_json("\xE0\x80\x80"), mark + mark + mark);             // overlong
  EXPECT_EQ(escape_json("\xED\xA0\x80"), mark + mark + mark);             // a surrogate
  EXPECT_EQ(escape_json("\xF4\x90\x80\x80"), mark + mark + mark + mark);  // above U+10FFFF
}

TEST(EscapeJson, AnyTwoBytesGiveTextThatAParserTakes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text = {static_cast<char>(first), static_cast<char>(second)};
      EXPECT_TRUE(nlohmann::json::accept(quoted(text))) << first << second;
    }
  }
}

std::string microseconds(std::int64_t nanoseconds) {
  char text[24];
  return {text, append_microseconds(text, nanoseconds)};
}

TEST(Microseconds, KeepTheNanoseconds) {
  EXPECT_EQ(microseconds(0), "0.000");
  EXPECT_EQ(microseconds(7), "0.007");
  EXPECT_EQ(microseconds(1'234'567), "1234.567");
  EXPECT_EQ(microseconds(100'000'000'000'010), "100000000000.010");
}

TEST(JsonText, WholeNumbersAreTheNearestOnes) {
  const double halves[] = {0,   0.49999999999999994, 0.5,        1.5,
                           2.5, 4503599627370495.5,  1e15 + 0.5, 9e18};
  for (const double value : halves) EXPECT_EQ(round_positive(value), std::llround(value)) << value;
  EXPECT_EQ(to_nanoseconds({1e300}), std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace rehearse
