// What layers keep of sequences: all, the last tokens, or a state.
#include "model/sequence_cache.hpp"

#include <gtest/gtest.h>

#include "model/attention_kind.hpp"
#include "model/known_models.hpp"

namespace rehearse {
namespace {

TEST(SequenceCache, OfAWindowIsNoLongerThanIt) {
  Model model = decoder(4, 64, 100);
  Attention sliding = grouped(8, 2, 8);
  sliding.window = 128;
  model.attention = {sliding, grouped(8, 2, 8)};
  model.dense = {gated(64)};
  repeat(model, 2, {{0, 0}, {1, 0}});
  const double token = 2 * 2 * 8 * 2;  // K and V of 2 heads of 8, bf16
  const SequenceCache cache = sequence_cache(model, 0, 4, 1);
  EXPECT_EQ(cache.kept(1, 100).value, 4 * 100 * token);
  EXPECT_EQ(cache.kept(1, 5000).value, 2 * 5000 * token + 2 * 128 * token);
  EXPECT_EQ(cache.kept(3, 15000).value, 3 * cache.kept(1, 5000).value);
  EXPECT_EQ(cache.kept(3, 0).value, 0);
}

TEST(SequenceCache, OfALinearLayerDoesNotGrow) {
  Model model = decoder(1, 64, 100);
  Attention linear;
  linear.kind = GatedDelta{2, 4, 16, 8, 4};
  model.attention = {linear};
  model.dense = {gated(64)};
  const SequenceCache cache = sequence_cache(model, 0, 1, 1);
  // 4 heads of 16 x 8 in fp32; 3 taps of 2 x 32 + 32 channels in bf16.
  const double state = 4 * 16 * 8 * 4 + 3 * 96 * 2;
  EXPECT_EQ(cache.kept(1, 1).value, state);
  EXPECT_EQ(cache.kept(1, 100'000).value, state);
  EXPECT_EQ(cache.kept(2, 100'000).value, 2 * state);
  EXPECT_EQ(cache.of_token().value, 0);
}

}  // namespace
}  // namespace rehearse
