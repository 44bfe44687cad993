// result.json is a contract: every name and its place.
#include <gtest/gtest.h>

#include <regex>

#include "golden_text.hpp"
#include "metrics/metrics_by_hand.hpp"

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

// Claims find every name, also of what a run may lack.
TEST(ResultJson, TheSkeletonNamesWhatMayBeAbsent) {
  const std::string skeleton = result_skeleton();
  for (const char* const name :
       {"tpot_s", "decode_step_s", "itl_s", "expert_load_max_over_mean", "dropped_token_fraction",
        "uniform_makespan_s", "time_lost_s", "rank_load_max_over_mean",
        "dollars_per_million_tokens", "output_tokens_per_joule", "no_work_fraction", "gpu_kinds",
        "assumptions"}) {
    EXPECT_NE(skeleton.find(std::string("\"") + name + "\""), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace rehearse
