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

TEST(ResultJson, WritesEveryFieldWhenAllIsZero) {
  // Readers find the names even when there is nothing to say: no variant, one rank, no traffic.
  expect_golden("result_json_zeros", without_version(result_json({}, {})));
}

}  // namespace
}  // namespace rehearse
