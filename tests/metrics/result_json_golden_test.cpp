// result.json is a contract: every name and its place.
#include <gtest/gtest.h>

#include <regex>

#include "golden_text.hpp"
#include "metrics/metrics_by_hand.hpp"
#include "metrics/service_by_hand.hpp"

namespace rehearse {
namespace {

// A release changes the version, not the contract.
std::string without_version(const std::string& json) {
  return std::regex_replace(json, std::regex("\"version\": \"[0-9]+\\.[0-9]+\\.[0-9]+\""),
                            "\"version\": \"VERSION\"");
}

TEST(ResultJson, HasTheNamesOfTheContract) {
  expect_golden("result_json", without_version(result_json(identity_by_hand(), metrics_by_hand(),
                                                           path_by_hand())));
}

// fault:C0: what was measured as 0 is there, what was not measured is not: no times between tokens,
// no balance of experts, no cost of no tokens, and no name that says "0: not simulated".
TEST(ResultJson, WritesZerosThatWereMeasuredAndNothingElse) {
  expect_golden("result_json_zeros", without_version(result_json({}, {})));
}

// What a service that was not replayed cannot know is absent: communication, balance, operators,
// and what its caller did not fill in.
TEST(ResultJson, OfAServiceHasWhatAServiceMeasures) {
  Plan plan = plan_of(three_requests());
  plan.serve->slo = Slo{Seconds{0.016}, Seconds{0.02}, 0.9};
  const serving::ServiceResult result =
      serving::serve_small(three_requests(), serving::small_engine("vllm"));
  Metrics metrics =
      metrics_of_service(measure_service(plan, result, one_engine()), result, one_engine());
  metrics.memory = metrics_by_hand().memory;
  metrics.mfu = 0.375;
  RunIdentity identity = identity_by_hand();
  identity.engine = "vllm";
  expect_golden("result_json_service", without_version(result_json(identity, metrics)));
}

// Claims find every name, also of what a run may lack.
TEST(ResultJson, TheSkeletonNamesWhatMayBeAbsent) {
  const std::string skeleton = result_skeleton();
  for (const char* const name : {"tpot_s",
                                 "decode_step_s",
                                 "itl_s",
                                 "expert_load_max_over_mean",
                                 "dropped_token_fraction",
                                 "uniform_makespan_s",
                                 "time_lost_s",
                                 "rank_load_max_over_mean",
                                 "dollars_per_million_tokens",
                                 "output_tokens_per_joule",
                                 "no_work_fraction",
                                 "gpu_kinds",
                                 "assumptions",
                                 "goodput_requests_per_s",
                                 "slo_met",
                                 "over_objective",
                                 "steady",
                                 "backlog_growth_per_s",
                                 "kv_peak_fraction",
                                 "prefix_hit_fraction"}) {
    EXPECT_NE(skeleton.find(std::string("\"") + name + "\""), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace rehearse
