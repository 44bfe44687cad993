#include "base/shares.hpp"

#include <gtest/gtest.h>

namespace rehearse {
namespace {

TEST(Shares, WhatRoundsToNothingHasNoSign) {
  EXPECT_EQ(percent_text(-1e-17), "0.0 %");
  EXPECT_EQ(percent_text(-0.0), "0.0 %");
  EXPECT_EQ(percent_text(-0.0004), "0.0 %");
  EXPECT_EQ(percent_text(-0.0006), "-0.1 %");
  EXPECT_EQ(percent_text(0.12345), "12.3 %");
}

// Three thirds are 33.3 % each, of which one is printed as 33.4 so that they make 100.
TEST(Shares, AddUpInPrintWhereTheyAddUp) {
  EXPECT_EQ(percent_texts({1.0 / 3, 1.0 / 3, 1.0 / 3}),
            (std::vector<std::string>{"33.4 %", "33.3 %", "33.3 %"}));
  // 14.35, 14.35 and 71.3 round to 100.1: the first that rounding gave most to loses it.
  EXPECT_EQ(percent_texts({0.1436, 0.1436, 0.7128}),
            (std::vector<std::string>{"14.4 %", "14.3 %", "71.3 %"}));
  EXPECT_EQ(percent_texts({1.0, -1e-17}), (std::vector<std::string>{"100.0 %", "0.0 %"}));
  // Of other things nothing is changed.
  EXPECT_EQ(percent_texts({1.0 / 3, 1.0 / 3}), (std::vector<std::string>{"33.3 %", "33.3 %"}));
}

}  // namespace
}  // namespace rehearse
