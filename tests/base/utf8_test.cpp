#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace rehearse {
namespace {

// RFC 3629, section 3 and 4: overlong forms, surrogates, above U+10FFFF, cut off, a lone tail.
TEST(Utf8, IsWhatRfc3629Says) {
  for (const char* const bad :
       {"\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x82", "\x80"}) {
    EXPECT_EQ(utf8_length(bad), 0U) << bad;
    EXPECT_EQ(first_unreadable_byte(std::string("ab") + bad), 2U) << bad;
  }
  EXPECT_EQ(utf8_length("a"), 1U);
  EXPECT_EQ(utf8_length("\u00e9"), 2U);
  EXPECT_EQ(utf8_length("\u20ac"), 3U);
  EXPECT_EQ(utf8_length("\U0010FFFF"), 4U);
  EXPECT_EQ(first_unreadable_byte("a\u00e9\u20ac\U0010FFFF"), std::nullopt);
}

// fault:A1: a NUL is UTF-8, and ends the text for some readers.
TEST(Utf8, ANulIsUnreadable) {
  EXPECT_EQ(first_unreadable_byte(std::string_view("a\0b", 3)), 1U);
  EXPECT_EQ(describe_unreadable('\0'), "byte 0x00 does not belong in a text");
  EXPECT_EQ(describe_unreadable('\xFF'), "byte 0xFF is not UTF-8 text");
}

TEST(Shortened, ShowsTheStartInOneLine) {
  EXPECT_EQ(shortened("a \u00e9"), "a \u00e9");
  EXPECT_EQ(shortened("a\nb\x1B"), "a\\x0ab\\x1b");
  EXPECT_EQ(shortened(std::string(120, 'a')), std::string(120, 'a'));
  EXPECT_EQ(shortened(std::string(121, 'a')), std::string(60, 'a') + "... (121 bytes)");
}

}  // namespace
}  // namespace rehearse
