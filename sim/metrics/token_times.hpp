// When requests got their tokens.
#pragma once

#include <optional>
#include <vector>

#include "metrics/distribution.hpp"
#include "plan/plan.hpp"
#include "program/program.hpp"

namespace rehearse {

class TokenTimes {
 public:
  explicit TokenTimes(const Plan& plan);

  // The pass of the replica of `entry` has sampled a token of each of its requests.
  void sampled(const RankEntry& entry, const Action& pass, Phase phase, int step, double date);
  void end();

  // Complete after end(). All requests arrive at time 0.
  Distribution ttft() const { return distribution_of(first_token_); }
  // Nothing with a single output token.
  std::optional<Distribution> tpot() const;
  // Of a request, from each token to the next.
  std::optional<Distribution> inter_token() const { return gaps_.distribution(); }
  // Of a replica, from the end of a decode step to the end of the next; the first begins where its
  // last prefill ends. A step ends when every request of the replica has its token.
  std::optional<Distribution> decode_step() const { return steps_.distribution(); }

 private:
  struct Replica {
    int step = -1;          // of decoding; -1: prefill
    double end = 0;         // of the step, so far
    double end_before = 0;  // of the step before
  };

  const int output_tokens_;
  const int expert_;                 // replicas of one expert group
  std::vector<double> first_token_;  // by request
  std::vector<double> last_token_;
  std::vector<Replica> replicas_;
  Samples gaps_;
  Samples steps_;
};

}  // namespace rehearse
