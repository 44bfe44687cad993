#include "metrics/assumptions.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace rehearse {
namespace {

bool assumes(const std::vector<std::string>& all, const char* what) {
  return std::find(all.begin(), all.end(), what) != all.end();
}

// fault:P1, fault:Q5. Collectives have this simulator's algorithms at the links' rates, NVLS and
// halving-doubling among them, and were measured against no library: an answer that has them says
// so.
TEST(Assumptions, OfCollectivesAreSaidWhereThereAreAny) {
  const Model model;
  const Plan plan;
  EXPECT_TRUE(assumes(assumptions_of(plan, model, Platform{}, 2), kOwnCollectives));
  EXPECT_FALSE(assumes(assumptions_of(plan, model, Platform{}, 1), kOwnCollectives));
  EXPECT_TRUE(assumes(assumptions_of(plan, model, Platform{}, 1), kAllAtOnce));
}

}  // namespace
}  // namespace rehearse
