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
  // REQUIRES: the plan outlives this.
  explicit TokenTimes(const Plan& plan);

  // The rank's pass has sampled a token of each of its requests.
  void sampled(const Programs& programs, Rank rank, const Action& pass, int step, double date);
  void end();

  // Complete after end().
  double first_token(int request) const { return first_token_[request]; }
  double last_token(int request) const { return last_token_[request]; }
  // From arrival; all requests of a batch arrive at time 0.
  Distribution ttft() const;
  // Of requests that have more than one output token; nothing where there are none.
  std::optional<Distribution> tpot() const;
  // Of a request, from each token to the next.
  std::optional<Distribution> inter_token() const { return gaps_.distribution(); }
  // Of a replica, from the end of a decode step to the end of the next; the first of a batch begins
  // where its last prefill ends. A step ends when every request of it has its token.
  std::optional<Distribution> decode_step() const { return steps_.distribution(); }

  // Nothing with a single output token.
  std::optional<double> tpot_of(int request) const;

 private:
  struct Replica {
    int token = 0;          // of its requests, the latest
    double end = 0;         // of the step, so far
    double end_before = 0;  // of the step before
  };

  void end_step(Replica& replica);
  int output_tokens(int request) const {
    return plan_.serve ? plan_.serve->requests[request].output_tokens : plan_.batch.output_tokens;
  }

  const Plan& plan_;
  std::vector<double> first_token_;  // by request
  std::vector<double> last_token_;
  std::vector<int> tokens_;  // by request, where they differ in that
  std::vector<Replica> replicas_;
  Samples gaps_;
  Samples steps_;
};

}  // namespace rehearse
