// What a person reads after a run.
#include <gtest/gtest.h>

#include <algorithm>

#include "golden_text.hpp"
#include "graph/small_models.hpp"
#include "metrics/metrics_by_hand.hpp"
#include "metrics/service_by_hand.hpp"
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

Metrics service_by_hand(const Plan& plan) {
  const serving::ServiceResult result =
      serving::serve_small(three_requests(), serving::small_engine("vllm"));
  Metrics metrics =
      metrics_of_service(measure_service(plan, result, one_engine()), result, one_engine());
  metrics.memory = metrics_by_hand().memory;
  metrics.price = {2.5, 700};
  metrics.mfu = 0.375;
  return metrics;
}

// All of it within a screen of 24 lines.
TEST(SummaryGolden, OfAService) {
  Plan plan = plan_of(three_requests());
  plan.serve->slo = Slo{Seconds{0.016}, Seconds{0.02}, 0.9};
  const std::string text = summary(identity_by_hand(), plan, service_by_hand(plan), false);
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 24);
  expect_golden("summary_service", text);
  expect_golden("summary_service_explain",
                summary(identity_by_hand(), plan, service_by_hand(plan), true));
}

// What is not known of a service is not in its summary; what is wrong with it stands out.
TEST(SummaryGolden, OfAServiceThatCannotKeepUp) {
  Plan plan = plan_of(three_requests());
  Metrics metrics = service_by_hand(plan);
  metrics.serving->steady = false;
  metrics.serving->backlog_growth_per_s = 3.1;
  metrics.serving->refused = 2;
  metrics.memory = {};
  const std::string text = summary(identity_by_hand(), plan, metrics, false);
  EXPECT_NE(text.find("backlog grows by 3.1 requests/s: no steady state"), std::string::npos);
  EXPECT_NE(text.find("2 REFUSED"), std::string::npos);
  for (const char* const unknown :
       {"communication", "makespan", "GPU compute", "objective", "memory", "VERDICT"}) {
    EXPECT_EQ(text.find(unknown), std::string::npos) << unknown;
  }
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
