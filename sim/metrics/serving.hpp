// What requests that arrive one after the other got, request by request and in all. The definitions
// are printed by --explain (report/summary.cpp).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "metrics/distribution.hpp"
#include "metrics/token_times.hpp"
#include "plan/plan.hpp"
#include "program/program.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

struct ServedRequest {
  Request request;
  int engine = 0;
  double queue_s = 0;            // from arrival to the start of its batch
  double ttft_s = 0;             // to its first token
  std::optional<double> tpot_s;  // nothing with a single output token
  double e2e_s = 0;              // from arrival to its last token
};

struct Serving {
  std::vector<ServedRequest> requests;  // in the order of the trace
  double window_s = 0;                  // from the first arrival to the last token
  double request_rate = 0;              // requests / window
  double output_tokens_per_s_per_gpu = 0;
  double tokens_per_s_per_gpu = 0;  // prompt and output
  double mean_batch = 0;            // requests of a decision of the scheduler
  Distribution queue_s;
  Distribution e2e_s;
};

// When the engines began what they had decided: the first operator of any of their ranks.
class DecisionStarts {
 public:
  void begin(const Programs& programs);
  void operators(const OperatorRun& run);

  double of(int engine, std::size_t decision) const { return starts_[engine][decision]; }

 private:
  const Programs* programs_ = nullptr;
  std::vector<std::vector<double>> starts_;
  std::vector<int> begun_;  // by rank: its decision
};

// REQUIRES: plan.serve, a complete run of these programs.
Serving serving_of(const Plan& plan, const Programs& programs, const TokenTimes& tokens,
                   const DecisionStarts& starts);

// requests.csv: id, arrival_s, prompt_tokens, output_tokens, cached_tokens, queue_s, ttft_s,
// tpot_s, e2e_s, preemptions, replica (the engine). What the engine has not, or a single output
// token, is an empty cell.
std::string requests_csv(const Serving& serving);

}  // namespace rehearse
