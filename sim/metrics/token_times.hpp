// When the requests of a batch got their tokens.
#pragma once

#include <optional>
#include <vector>

#include "metrics/distribution.hpp"
#include "plan/plan.hpp"
#include "program/program.hpp"

namespace rehearse {

class TokenTimes {
 public:
  // REQUIRES: the plan outlives this.
  explicit TokenTimes(const Plan& plan);

  // The rank's pass has sampled a token of each of its requests.
  void sampled(const Programs& programs, Rank rank, const Action& pass, int step, double date);
  void end();

  // Complete after end().
  Distribution ttft() const;                 // all requests arrive at time 0
  std::optional<Distribution> tpot() const;  // nothing with a single output token
  // Of a request, from each token to the next.
  std::optional<Distribution> inter_token() const { return gaps_.distribution(); }
  // Of a replica, from the end of a decode step to the end of the next; the first of a batch begins
  // where its last prefill ends. A step ends when every request of it has its token.
  std::optional<Distribution> decode_step() const { return steps_.distribution(); }

 private:
  struct Replica {
    int token = 0;          // of its requests, the latest
    double end = 0;         // of the step, so far
    double end_before = 0;  // of the step before
  };

  void end_step(Replica& replica);
  const Plan& plan_;
  std::vector<double> first_token_;  // by request
  std::vector<double> last_token_;
  std::vector<Replica> replicas_;
  Samples gaps_;
  Samples steps_;
};

}  // namespace rehearse
