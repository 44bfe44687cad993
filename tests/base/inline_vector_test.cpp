#include "base/inline_vector.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace rehearse {
namespace {

// Over its inline room and back, many times: the same items as a vector has.
TEST(InlineVector, HoldsWhatAVectorHolds) {
  std::mt19937 random(1);
  InlineVector<int, 3> tried;
  std::vector<int> expected;
  for (int step = 0; step < 5000; ++step) {
    const bool grows = step / 20 % 2 == 0 ? random() % 4 != 0 : random() % 4 == 0;
    if (grows || expected.empty()) {
      tried.push_back(step);
      expected.push_back(step);
    } else {
      const std::size_t at = random() % expected.size();
      tried[at] = tried.back();
      expected[at] = expected.back();
      tried.pop_back();
      expected.pop_back();
    }
    ASSERT_EQ(tried.empty(), expected.empty());
    ASSERT_EQ(std::vector<int>(tried.begin(), tried.end()), expected);
  }
}

TEST(InlineVector, KeepsItsItemsWhenItIsResized) {
  InlineVector<int, 2> items;
  items.resize(2);
  items[0] = 7;
  items[1] = 8;
  items.resize(4);
  EXPECT_EQ(std::vector<int>(items.begin(), items.end()), (std::vector<int>{7, 8, 0, 0}));
  items.resize(1);
  EXPECT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0], 7);
}

}  // namespace
}  // namespace rehearse
