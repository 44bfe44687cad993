// Which layers are written down: all others repeat one that is alike and follows an alike one.
#include "program/written_layers.hpp"

#include <gtest/gtest.h>

namespace rehearse {
namespace {

TEST(WrittenLayers, OfOneKindAreTwo) {
  const WrittenLayers written = written_layers({0, 0, 0, 0, 0}, 10);
  EXPECT_EQ(written.layers, (std::vector<int>{10, 11}));
  EXPECT_EQ(written.stands, (std::vector<int>{0, 1, 1, 1, 1}));
}

TEST(WrittenLayers, OfTwoRunsAreTwoOfEach) {
  // The third is what the first of the second kind finds behind one of the first kind.
  const WrittenLayers written = written_layers({0, 0, 0, 1, 1, 1}, 0);
  EXPECT_EQ(written.layers, (std::vector<int>{0, 1, 3, 4}));
  EXPECT_EQ(written.stands, (std::vector<int>{0, 1, 1, 2, 3, 3}));
}

TEST(WrittenLayers, ThatTakeTurnsAreThree) {
  const WrittenLayers written = written_layers({0, 1, 0, 1, 0, 1, 0}, 0);
  EXPECT_EQ(written.layers, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(written.stands, (std::vector<int>{0, 1, 2, 1, 2, 1, 2}));
}

// The last layer is a repetition of the second, but the third is the last that differs: what comes
// behind the layers would wait for what a layer of the other kind leaves.
TEST(WrittenLayers, EndWithTheKindOfTheLast) {
  const WrittenLayers written = written_layers({0, 1, 0, 1}, 10);
  EXPECT_EQ(written.layers, (std::vector<int>{10, 11, 12, 13}));
  EXPECT_EQ(written.stands, (std::vector<int>{0, 1, 2, 1}));
}

// Every kind follows an alike one where it is written down, too, whatever the pattern: each of 3^7.
TEST(WrittenLayers, FollowWhatTheLayersThatTheyStandForFollow) {
  for (int pattern = 0; pattern < 2187; ++pattern) {
    std::vector<int> kinds;
    for (int rest = pattern, layer = 0; layer < 7; ++layer, rest /= 3) kinds.push_back(rest % 3);
    const WrittenLayers written = written_layers(kinds, 0);
    ASSERT_EQ(written.stands.size(), kinds.size());
    ASSERT_EQ(kinds[written.layers.back()], kinds.back()) << pattern;
    for (std::size_t layer = 0; layer < kinds.size(); ++layer) {
      const int at = written.stands[layer];
      ASSERT_EQ(kinds[written.layers[at]], kinds[layer]) << pattern;
      const int before = at == 0 ? -1 : kinds[written.layers[at - 1]];
      ASSERT_EQ(before, layer == 0 ? -1 : kinds[layer - 1]) << pattern;
    }
  }
}

}  // namespace
}  // namespace rehearse
