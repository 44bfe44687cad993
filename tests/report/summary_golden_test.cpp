// What a person reads after a run.
#include <gtest/gtest.h>

#include "golden_text.hpp"
#include "graph/small_models.hpp"
#include "metrics/metrics_by_hand.hpp"
#include "report/summary.hpp"

namespace rehearse {
namespace {

Metrics too_large() {
  Metrics metrics = metrics_by_hand();
  metrics.memory = {64e9,
                    57.6e9,
                    142e9,
                    142.0 / 64,
                    false,
                    3,
                    2.5,
                    {4e9, 0, 137e9, 1e9},
                    "activations 137 GB: batch.micro_batches=3 would make it 50.7 GB"};
  return metrics;
}

TEST(SummaryGolden, Plain) {
  expect_golden("summary", summary(identity_by_hand(), small_plan(), metrics_by_hand(), false));
}

TEST(SummaryGolden, WithDefinitions) {
  expect_golden("summary_explain",
                summary(identity_by_hand(), small_plan(), metrics_by_hand(), true));
}

// fault:C0: no variant, one output token per request (no TPOT), no communication, and too much
// memory.
TEST(SummaryGolden, OfAPlanThatDoesNotFit) {
  RunIdentity identity = identity_by_hand();
  identity.variant.clear();
  Metrics metrics = too_large();
  metrics.tpot_s.reset();
  metrics.decode_step_s.reset();
  metrics.itl_s.reset();
  metrics.price = {};
  metrics.by_axis.clear();
  metrics.prompt_tokens_per_s = 2.5e6;
  expect_golden("summary_does_not_fit", summary(identity, small_plan(), metrics, true));
}

// fault:U3: the verdict says what is usable, and which field would change it.
TEST(MemoryVerdict, NamesTheRankTheReserveAndTheKnob) {
  EXPECT_EQ(
      memory_verdict(too_large().memory),
      "does not fit: rank 3 needs 142 GB of 57.6 GB usable (0.90 of 64.0 GB); activations 137 "
      "GB: batch.micro_batches=3 would make it 50.7 GB");
  EXPECT_EQ(memory_verdict(metrics_by_hand().memory), "");
}

}  // namespace
}  // namespace rehearse
