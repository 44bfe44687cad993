// What `show` says of many ranks fits a screen.
#include "report/show_large.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace rehearse {
namespace {

std::vector<Rank> every(int step, int count) {
  std::vector<Rank> ranks;
  ranks.reserve(count);
  for (int at = 0; at < count; ++at) ranks.push_back(at * step);
  return ranks;
}

TEST(ShowLarge, SaysGroupsAsRangesAndSteps) {
  EXPECT_EQ(group_text(every(1, 8)), "0-7");
  EXPECT_EQ(group_text(every(8, 4)), "0,8,16,24");
  EXPECT_EQ(group_text(every(8, 32)), "0,8...248");
  EXPECT_EQ(group_text({0, 1, 4, 5, 8}), "0-1,4-5,8");
  std::vector<Rank> pairs;
  for (Rank at = 0; at < 100; at += 10) pairs.insert(pairs.end(), {at, at + 1});
  EXPECT_EQ(group_text(pairs), "0-1,...,90-91");
}

TEST(ShowLarge, SaysTheFirstAndTheLastOfMany) {
  EXPECT_EQ(first_and_last({"a", "b", "c", "d"}), "a b c d");
  EXPECT_EQ(first_and_last({"a", "b", "c", "d", "e"}), "a b ... e");
  EXPECT_EQ(first_and_last({}), "");
}

TEST(ShowLarge, ContinuesLongLinesFurtherIn) {
  EXPECT_EQ(wrapped_lines("  one two three\nfour\n", 12), "  one two\n    three\nfour\n");
  // What cannot be broken stays.
  EXPECT_EQ(wrapped_lines("abcdefghijkl", 5), "abcdefghijkl\n");
}

}  // namespace
}  // namespace rehearse
