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
  // 14.36, 14.37 and 71.27 round to 100.1: that which rounding gave most to loses it.
  EXPECT_EQ(percent_texts({0.1436, 0.1437, 0.7127}),
            (std::vector<std::string>{"14.3 %", "14.4 %", "71.3 %"}));
  EXPECT_EQ(percent_texts({1.0, -1e-17}), (std::vector<std::string>{"100.0 %", "0.0 %"}));
  // Of other things nothing is changed.
  EXPECT_EQ(percent_texts({1.0 / 3, 1.0 / 3}), (std::vector<std::string>{"33.3 %", "33.3 %"}));
}

}  // namespace
}  // namespace rehearse
