#include "metrics/assumptions.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace rehearse {
namespace {

bool assumes(const std::vector<std::string>& all, const std::string& what) {
  return std::find(all.begin(), all.end(), what) != all.end();
}

Platform platform_of(const Device& device) {
  Platform platform;
  platform.devices = {device};
  platform.gpus.resize(2);
  return platform;
}

// fault:P1, fault:Q5. An answer that has collectives says which library's they are and where its
// constants come from.
TEST(Assumptions, OfCollectivesAreSaidWhereThereAreAny) {
  const Model model;
  const Plan plan;
  const Platform unnamed = platform_of({});
  const std::string said = collectives_assumption("", unnamed);
  EXPECT_TRUE(assumes(assumptions_of(plan, model, unnamed, 2, nullptr), said));
  EXPECT_FALSE(assumes(assumptions_of(plan, model, unnamed, 1, nullptr), said));
  EXPECT_TRUE(assumes(assumptions_of(plan, model, unnamed, 1, nullptr), kAllAtOnce));
  EXPECT_NE(said.find("as nccl runs them; its constants are the mean of GPUs"), std::string::npos);
}

TEST(Assumptions, OfCollectivesNameWhoseConstantsTheyAre) {
  Device device;
  device.gpu = "h100";
  device.vendor = "nvidia";
  device.collectives["nccl.ring.ll"] = {};
  EXPECT_NE(collectives_assumption("", platform_of(device)).find("published times of h100"),
            std::string::npos);
  device.collectives["nccl.ring.ll"].assumed = true;
  EXPECT_NE(collectives_assumption("", platform_of(device)).find("a GPU near to h100"),
            std::string::npos);
  device.vendor = "amd";
  EXPECT_NE(collectives_assumption("", platform_of(device)).find("as rccl runs them"),
            std::string::npos);
  EXPECT_NE(collectives_assumption("textbook", platform_of(device)).find("own algorithms"),
            std::string::npos);
}

}  // namespace
}  // namespace rehearse
