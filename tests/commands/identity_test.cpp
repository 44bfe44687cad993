// What decides about results is in the digest, and nothing else.
#include "commands/identity.hpp"

#include <gtest/gtest.h>

#include "commands/compare.hpp"
#include "commands/prepare.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

PlanRequest shipped() {
  PlanRequest request;
  request.path = REHEARSE_SOURCE_DIR "/workloads/plans/moe-10b-24gpu.textproto";
  return request;
}

std::string inputs_of(const PlanRequest& request) {
  const PreparedPlan prepared = prepare(request);
  return identity_of(prepared.plan(), prepared.model(), request).inputs_sha256;
}

std::string search_of(const PlanRequest& request) {
  return digest_of_search(read_plan(request), request);
}

TEST(Identity, IsThatOfTheInputs) {
  const std::string before = inputs_of(shipped());
  EXPECT_EQ(before.size(), 64U);
  EXPECT_EQ(inputs_of(shipped()), before);
  PlanRequest other = shipped();
  other.sets = {"batch.output_tokens=2"};
  EXPECT_NE(inputs_of(other), before);
  other = shipped();
  other.seed = "7";
  EXPECT_NE(inputs_of(other), before);
  other = shipped();
  other.platform = REHEARSE_SOURCE_DIR "/platforms/plan-24gpu-nvlink.xml";
  EXPECT_NE(inputs_of(other), before);
}

// A journal's keys name the platform, so that one journal serves several.
TEST(Identity, OfASearchLeavesThePlatformToItsKeys) {
  const std::string before = search_of(shipped());
  PlanRequest other = shipped();
  other.platform = REHEARSE_SOURCE_DIR "/platforms/plan-24gpu-nvlink.xml";
  EXPECT_EQ(search_of(other), before);
  other.network = "exact";
  EXPECT_NE(search_of(other), before);
}

// What is changed is changed in both: the same plan twice moves nothing.
TEST(CompareResults, SimulatesWhatIsAPlan) {
  CompareRequest request;
  request.before = request.after = shipped().path;
  request.changes.sets = {"batch.output_tokens=2"};
  request.limits.memory = Bytes{4e9};
  request.quiet = true;
  EXPECT_FALSE(compare_results(request).regressed());
  request.changes.model = REHEARSE_SOURCE_DIR "/workloads/models/moe-10b-as-listed.textproto";
  EXPECT_FALSE(compare_results(request).regressed());  // both are changed
  request.tolerances = {"makespan"};
  EXPECT_THROW(compare_results(request), InputError);
}

}  // namespace
}  // namespace rehearse
