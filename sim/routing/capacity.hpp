// What experts do with more tokens than they accept.
#pragma once

#include <vector>

#include "plan/plan.hpp"
#include "routing/token_counts.hpp"

namespace rehearse {

struct Accepted {
  TokenCounts counts;  // (token, expert) copies that travel and are computed, padding included
  std::vector<int> dropped;  // by expert that refused them: not computed anywhere
  long padding = 0;          // copies of no token
};

// `limits` are what each expert accepts, over all sources; `tokens` the tokens of each source;
// `inclusion` as in CountDraw.
//   drop     the copies above an expert's limit are dropped, of each source in proportion.
//   reroute  they go to experts that have room and that the token does not visit yet, in proportion
//            to their popularity; what finds no room is dropped.
//   pad      each source has a buffer for its part of each expert's limit (tokens / all tokens of
//            it, rounded up): what does not fit is dropped, what is not filled is sent and computed
//            as padding (GShard, Lepikhin et al. 2020: static shapes).
// Conserves: sum of counts + sum of dropped = sum of routed + padding.
Accepted apply_capacity(TokenCounts routed, const std::vector<int>& tokens,
                        const std::vector<int>& limits, CapacityPolicy policy,
                        const std::vector<double>& inclusion, RandomStream& random);

// Of each expert: threshold x factor x fair share, rounded up, where the fair share is copies /
// experts.
// Adaptive: the factor is the expert's load in the last window over the mean load, kept within
// [min_factor, max_factor]; `history` empty: capacity.factor.
std::vector<int> capacity_limits(const Capacity& capacity, double copies, int experts,
                                 const std::vector<double>& history);

// What all experts of a limited capacity accept at most, over all copies, before the rounding up of
// each expert's limit: in a pass of few tokens that adds a lot.
double most_accepted(const Capacity& capacity);

}  // namespace rehearse
