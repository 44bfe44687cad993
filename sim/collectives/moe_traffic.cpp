#include "collectives/moe_traffic.hpp"

#include <algorithm>
#include <cmath>

namespace rehearse {

namespace {

// C(all - here, chosen) / C(all, chosen): none of those here is chosen. Factor by factor.
double missed(double all, double here, int chosen) {
  double missed = 1;
  for (int choice = 0; choice < chosen; ++choice) {
    missed *= std::max(0.0, all - here - choice) / (all - choice);
  }
  return missed;
}

// That `of_place` of `groups` are among the `top` chosen ones: hypergeometric.
double chance(int groups, int top, int of_place, int place_groups) {
  const auto choose = [](int n, int k) {
    double ways = 1;
    for (int at = 0; at < k; ++at) ways *= static_cast<double>(n - at) / (at + 1);
    return k < 0 || k > n ? 0 : ways;
  };
  return choose(place_groups, of_place) * choose(groups - place_groups, top - of_place) /
         choose(groups, top);
}

// Where a token's experts are in `top_groups` of the groups, each as likely. A place that holds
// whole groups misses it if none of its experts is among those chosen in the groups of it that
// count; one that holds less than a group misses it, too, where its group does not count.
double missed_by_groups(const FanOut& fan_out, double here) {
  const double of_group = static_cast<double>(fan_out.experts) / fan_out.groups;
  const double open = of_group * fan_out.top_groups;
  const int whole = std::max(1, static_cast<int>(std::lround(here / of_group)));
  const double each = std::min(here / whole, of_group);
  double sum = 0;
  for (int counted = 0; counted <= std::min(whole, fan_out.top_groups); ++counted) {
    sum += chance(fan_out.groups, fan_out.top_groups, counted, whole) *
           missed(open, counted * each, fan_out.experts_per_token);
  }
  return sum;
}

}  // namespace

// A token has k experts among E. A place that holds e of them gets it with probability
// 1 - C(E - e, k) / C(E, k) when all choices of k are equally likely; k e / E copies of it would go
// there otherwise.
double once_per_place(const FanOut& fan_out, double share) {
  if (fan_out.experts_per_token == 1) return 1;
  const double here = share * fan_out.experts;
  const bool limited = fan_out.top_groups < fan_out.groups;
  const double none = limited ? missed_by_groups(fan_out, here)
                              : missed(fan_out.experts, here, fan_out.experts_per_token);
  return (1 - none) / (fan_out.experts_per_token * share);
}

}  // namespace rehearse
