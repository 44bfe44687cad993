// Constraints as users write them, and what a plan cannot be judged by.
#include "search/constraint.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"

namespace rehearse {
namespace {

Constraint read(const std::string& text) { return read_constraints({{text}, {}}).front(); }

// Without a unit: in the quantity's own. 900 ms = 0.9 s; 70 GB = 7e10 bytes; 40 % = 0.4.
TEST(Constraint, TakesUnits) {
  EXPECT_DOUBLE_EQ(read("ttft_s.p99 <= 0.9").limit, 0.9);
  EXPECT_DOUBLE_EQ(read("ttft_s.p99 <= 900ms").limit, 0.9);
  EXPECT_DOUBLE_EQ(read("ttft_s.p99<=900 ms").limit, 0.9);
  EXPECT_DOUBLE_EQ(read("memory.peak_bytes <= 70GB").limit, 7e10);
  EXPECT_DOUBLE_EQ(read("utilization.mfu >= 40%").limit, 0.4);
  EXPECT_DOUBLE_EQ(read("throughput.tokens_per_s >= 1e5 tokens/s").limit, 1e5);
  EXPECT_FALSE(read("throughput.tokens_per_s >= 1e5").at_most);
  EXPECT_EQ(read("ttft_s.p99 <= 900ms").text, "ttft_s.p99 <= 900ms");
  for (const char* bad : {"ttft_s.p99 <= 900GB", "memory.peak_bytes <= 70s", "gpus <= 10%",
                          "throughput.tokens_per_s >= 3 tokens", "utilization.mfu >= 40 s",
                          "ttft_s.p99 <= ", "ttft_s.p99 <= ms", "ttft_s.p99 = 3", "x <= 3",
                          "ttft_s.p99 <= nan", "ttft_s.p99 <= 1e999"}) {
    EXPECT_THROW(read(bad), InputError) << bad;
  }
}

// Two from the same side: one of them says nothing.
TEST(Constraint, IsNotGivenTwice) {
  EXPECT_EQ(read_constraints({{"ttft_s.p99 <= 6", "ttft_s.p99 >= 1", "gpus <= 8"}, {}}).size(), 3U);
  EXPECT_THROW(read_constraints({{"ttft_s.p99 <= 6", "ttft_s.p99 <= 6"}, {}}), InputError);
  EXPECT_THROW(read_constraints({{"ttft_s.p99 <= 6", "ttft_s.p99<=5s"}, {}}), InputError);
}

// fault:C0. What was not measured keeps no limit, of neither direction.
TEST(Constraint, IsNotKeptByWhatWasNotMeasured) {
  EXPECT_FALSE(read("tpot_s.max <= 1").holds(NAN));
  EXPECT_FALSE(read("tpot_s.max >= 0").holds(NAN));
}

// fault:C0. One output token has no time between tokens, so that nothing can be said of it.
TEST(Quantities, OfAPlanWithOneOutputTokenHaveNoTimeBetweenTokens) {
  Plan plan;
  plan.batch.output_tokens = 1;
  for (const char* name : {"tpot_s.mean", "tpot_s.p99", "decode_step_s.mean", "itl_s.max"}) {
    EXPECT_NE(absence_of(quantity_named(name, {}), plan), "") << name;
  }
  EXPECT_EQ(absence_of(quantity_named("ttft_s.p99", {}), plan), "");
  plan.batch.output_tokens = 2;
  EXPECT_EQ(absence_of(quantity_named("tpot_s.mean", {}), plan), "");
}

}  // namespace
}  // namespace rehearse
