// What requests that arrive one after the other got, request by request and in all. The definitions
// are printed by --explain (report/serving_lines.cpp).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "metrics/arrival_window.hpp"
#include "metrics/distribution.hpp"
#include "plan/plan.hpp"

namespace rehearse {

struct ServedRequest {
  Request request;
  int engine = 0;                         // the replica, of a service
  double queue_s = 0;                     // from arrival to the start of its first step
  double ttft_s = 0;                      // to its first token
  std::optional<double> tpot_s;           // nothing with a single output token
  double e2e_s = 0;                       // from arrival to its last token
  bool refused = false;                   // then nothing else but the request is known
  std::optional<int> cached_tokens = {};  // of its prompt, found in the cache
  std::optional<int> preemptions = {};
};

// A threshold of the objective, and what stands there.
struct SloTerm {
  std::string quantity;  // "TTFT"
  double objective_s = 0;
  double value_s = 0;  // at the objective's quantile of the requests that were served

  double over_objective() const { return value_s / objective_s; }
};

struct SloVerdict {
  double goodput_requests_per_s = 0;  // completed in the window and within all thresholds
  double attainment = 0;              // share of the requests within all; a refused one is not
  bool met = false;                   // attainment >= the quantile
  double quantile = 0;
  std::vector<SloTerm> terms = {};
};

// Keys and values on their way from prefill to decode replicas, of the requests that count.
struct KvTransferFigures {
  int requests = 0;
  double bytes = 0;
  // Per request: from the start of its first transfer to the end of its last; where each chunk of a
  // prompt is sent as it is done, its prefill goes on meanwhile.
  Distribution time_s;
};

// Requests that arrive before the warm-up ends are in no figure of requests; what they get within
// the window is in its rates.
struct Serving {
  std::vector<ServedRequest> requests;  // in the order of the trace
  int offered = 0;                      // that count
  int completed = 0;                    // of these
  double window_s = 0;
  double request_rate = 0;  // completed in the window / window
  double output_tokens_per_s_per_gpu = 0;
  double tokens_per_s_per_gpu = 0;  // prompt and output
  double mean_batch = 0;            // requests in a step (of decode replicas)
  // Nothing where no request has it.
  std::optional<Distribution> queue_s;
  std::optional<Distribution> e2e_s;

  // Nothing where it does not apply.
  std::string window;  // from when to when
  int refused = 0;     // of those offered
  double output_tokens_per_s = 0;
  double prompt_tokens_per_s = 0;
  std::optional<Distribution> ttft_s;
  std::optional<Distribution> tpot_s;
  std::optional<Distribution> itl_s;
  std::optional<double> offered_rate;           // nothing in a closed loop
  std::optional<double> tokens_per_s_per_user;  // 1 / mean TPOT
  std::optional<SloVerdict> slo;                // nothing without an objective
  std::optional<ArrivalWindow> arrivals;        // nothing where the growth below is nothing
  std::optional<bool> steady;                   // nothing where all come at once
  std::optional<double> backlog_growth_per_s;   // nothing in a closed loop
  std::optional<double> kv_peak_fraction;       // nothing where blocks are not limited
  std::optional<int> preemptions;
  std::optional<double> prefix_hit_fraction;     // of the prompt tokens
  std::optional<KvTransferFigures> kv_transfer;  // nothing without pools
};

// requests.csv: id, arrival_s, prompt_tokens, output_tokens, cached_tokens, queue_s, ttft_s,
// tpot_s, e2e_s, preemptions, replica. The TPOT of a single output token is an empty cell, as is
// all of a refused request but what was asked.
std::string requests_csv(const Serving& serving);

// "backlog grows by 3.1 requests/s: no steady state"; empty: nobody can say.
std::string steadiness_text(const Serving& serving);
// "TTFT p99 1.84 s, 1.84 x the objective of 1 s"
std::string to_text(const SloTerm& term, double quantile);

}  // namespace rehearse
