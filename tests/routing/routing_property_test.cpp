// What holds for every model, capacity policy and placement, tried on random ones.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

#include "routing/small_routing.hpp"
#include "routing/token_spreads.hpp"

namespace rehearse {
namespace {

int between(int least, int most) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(least, most + 1));
}
double real_between(double least, double most) {
  return least + (most - least) * between(0, 1000) / 1000;
}

long sum(const std::vector<int>& values) {
  return std::accumulate(values.begin(), values.end(), 0L);
}

SmallRouting draw_routing() {
  const int members = 1 << between(0, 3);
  const int experts = members * between(1, 5);
  SmallRouting small(experts, between(1, experts), members);
  const char* const models[] = {"uniform", "zipf", "dirichlet", "gini", "power_law"};
  Routing& routing = small.plan.routing;
  routing.model = models[between(0, 4)];
  routing.exponent = real_between(0.1, 2.5);
  routing.concentration = real_between(0.1, 10);
  routing.gini = real_between(0, 0.99) * (1 - 1.0 * small.model.moe->top_k / experts);
  routing.drift_iterations = between(0, 1) * between(1, 10);
  Capacity& capacity = small.plan.capacity;
  capacity.limited = between(0, 3) > 0;
  capacity.policy = static_cast<CapacityPolicy>(between(0, 2));
  capacity.factor = real_between(0.1, 3);
  capacity.threshold = real_between(0.5, 1);
  capacity.adaptive = between(0, 1) == 1;
  capacity.adapt_every = between(1, 3);
  ExpertPlacementChoice& placement = small.plan.placement;
  placement.policy = static_cast<PlacementPolicy>(between(0, 2));
  if (placement.policy == PlacementPolicy::kGreedy) {
    placement.redundant_experts =
        members * between(0, std::min(3, experts * (members - 1) / members));
    placement.rebalance_every = between(0, 3);
  }
  small.plan.seed = between(0, 1000);
  return small;
}

RC_GTEST_PROP(Routing, TokensAreComputedOrDroppedAndNothingElse, ()) {
  SmallRouting small = draw_routing();
  check_routing(small.plan, small.model);
  const int tokens = between(0, 300);
  const ExpertRouting routing = small.routing(tokens, 4);
  const SpreadKey key{0, between(0, 1), between(0, 3), 0};
  const TokenSpread spread = routing.spread(key);
  const int members = routing.members();
  const long chosen = static_cast<long>(tokens) * members * small.model.moe->top_k;
  RC_ASSERT(sum(spread.routed) == chosen);
  RC_ASSERT(sum(spread.computed) + sum(spread.dropped) == chosen + spread.padding);
  RC_ASSERT(sum(spread.copies) == sum(spread.computed));
  for (int member = 0; member < members; ++member) {
    int sent = 0;
    int computed = 0;
    for (int other = 0; other < members; ++other) {
      sent += spread.row(member, other);
      computed += spread.row(other, member);
    }
    RC_ASSERT(sent == spread.sent[member]);
    RC_ASSERT(computed == spread.computed[member]);
    if (small.plan.routing.model != "uniform") {  // there it is an expectation
      RC_ASSERT(spread.touched[member] <= spread.computed[member]);
    }
  }
  const Capacity& capacity = small.plan.capacity;
  RC_ASSERT(capacity.limited || sum(spread.dropped) == 0);
  // Capacities are rounded up: of each expert, and with `pad` of each source.
  const int rounded =
      routing.experts() * (capacity.policy == CapacityPolicy::kPad ? members + 1 : 1);
  const double refused = capacity.limited ? 1 - most_accepted(capacity) : 0;
  const double least = refused * static_cast<double>(chosen) - rounded;
  RC_ASSERT(static_cast<double>(sum(spread.dropped)) >= least);
}

RC_GTEST_PROP(Routing, NoTokenVisitsAnExpertTwice, ()) {
  SmallRouting small = draw_routing();
  const int tokens = between(0, 300);
  const TokenCounts counts = small.routing(tokens, 1).counts({0, 0, 0, 0});
  for (const int count : counts.counts) RC_ASSERT(count >= 0 && count <= tokens);
}

RC_GTEST_PROP(Routing, EveryPlacementHoldsEveryExpertInEqualNumbers, ()) {
  SmallRouting small = draw_routing();
  const ExpertRouting routing = small.routing(10, 8);
  const ExpertPlacement placement = routing.placement(0, 0, between(0, 2));
  const int copies = routing.experts() + small.plan.placement.redundant_experts;
  for (const std::vector<int>& own : placement.held) {
    RC_ASSERT(static_cast<int>(own.size()) * routing.members() == copies);
    RC_ASSERT(std::is_sorted(own.begin(), own.end()));
  }
  for (const std::vector<int>& holders : placement.holders) RC_ASSERT(!holders.empty());
}

}  // namespace
}  // namespace rehearse
