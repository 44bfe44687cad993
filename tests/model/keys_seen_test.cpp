// Pairs in closed form against counting them one by one.
#include "model/keys_seen.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace rehearse {
namespace {

struct Mask {
  KeysSeen seen;
  std::function<double(double)> keys;  // of the query at a position
};

std::vector<Mask> masks() {
  return {
      {KeysSeen::all(), [](double p) { return p + 1; }},
      {KeysSeen::window(5), [](double p) { return std::min(p + 1, 5.0); }},
      {KeysSeen::window(1), [](double) { return 1.0; }},
      {KeysSeen::chunk(4), [](double p) { return std::fmod(p, 4) + 1; }},
      {KeysSeen::entries(4, 0), [](double p) { return std::floor((p + 1) / 4); }},
      {KeysSeen::entries(3, 2), [](double p) { return std::min(2.0, std::floor((p + 1) / 3)); }}};
}

TEST(KeysSeen, ArePairsOfEveryQueryWithItsKeys) {
  for (const Mask& mask : masks()) {
    for (int context = 0; context < 20; ++context) {
      double pairs = 0;
      for (int query = 1; query < 20; ++query) {
        pairs += mask.keys(context + query - 1);
        EXPECT_EQ(mask.seen.pairs({3, 1.0 * query, 1.0 * context}), 3 * pairs);
      }
      EXPECT_EQ(mask.seen.at(context), mask.keys(context));
    }
  }
}

TEST(KeysSeen, OfARunOfStepsAddUpToItsPairs) {
  for (const Mask& mask : masks()) {
    for (int context = 1; context < 20; ++context) {
      for (int first = 0; first < 6; ++first) {
        for (int count = 1; count < 12; ++count) {
          const Amount pairs = mask.seen.pairs({2, 1, 1.0 * context}, true, {first, count});
          double told = 0;
          double counted = 0;
          const double growth = mask.keys(context + first + 1) - mask.keys(context + first);
          bool straight = growth == 0 || growth == 1;
          for (int step = first; step < first + count; ++step) {
            told += pairs.at(step);
            counted += 2 * mask.keys(context + step);
            straight = straight && mask.keys(context + step) ==
                                       mask.keys(context + first) + growth * (step - first);
          }
          EXPECT_NEAR(told, counted, 1e-9);
          if (!straight || mask.seen.kind == KeysSeen::Kind::kEntries) continue;
          for (int step = first; step < first + count && count > 1; ++step) {
            EXPECT_NEAR(pairs.at(step), 2 * mask.keys(context + step), 1e-9);
          }
        }
      }
    }
  }
}

TEST(KeysSeen, OfADecodeStepAreCachedButForItsOwn) {
  for (const Mask& mask : masks()) {
    const double itself = mask.seen.kind == KeysSeen::Kind::kEntries ? 0 : 1;
    for (int context = 1; context < 20; ++context) {
      EXPECT_EQ(mask.seen.cached({3, 1, 1.0 * context}), 3 * (mask.keys(context) - itself));
    }
  }
}

}  // namespace
}  // namespace rehearse
