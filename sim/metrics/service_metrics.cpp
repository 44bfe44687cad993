// Dates of the serving core are whole picoseconds. Whether something is within the window is asked
// of these; seconds are made of differences, so that a TTFT is not off by what a date of hours
// rounds away.
#include "metrics/service_metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "metrics/lives.hpp"
#include "metrics/steadiness.hpp"
#include "metrics/token_gaps.hpp"

namespace rehearse {
namespace {

using serving::Picoseconds;
using serving::ServiceResult;
using serving::TokenRun;

double to_seconds(Picoseconds time) { return serving::to_seconds(time).value; }

bool is_served(const serving::ServedRequest& request) {
  return request.phase == serving::Phase::kFinished;
}

ServedRequest request_of(const Request& asked, double trace_begins, const ServiceResult& result,
                         int number) {
  const serving::ServedRequest& its = result.requests[number];
  ServedRequest served;
  served.request = asked;
  served.request.blocks = {};
  // What its trace says, to the digit, unless a loop or a session decided when it came.
  if (std::abs(its.arrival - serving::to_picoseconds(asked.arrival)) > 1) {
    served.request.arrival = Seconds{to_seconds(its.arrival)};
    served.request.in_trace = Seconds{trace_begins + to_seconds(its.arrival)};
  }
  served.refused = !is_served(its);
  if (served.refused) return served;
  served.engine = its.replica;
  served.queue_s = to_seconds(its.first_scheduled - its.arrival);
  served.ttft_s = to_seconds(its.first_token - its.arrival);
  if (asked.output_tokens > 1) {
    served.tpot_s = to_seconds(its.last_token - its.first_token) / (asked.output_tokens - 1);
  }
  served.e2e_s = to_seconds(its.last_token - its.arrival);
  served.cached_tokens = its.cached_tokens;
  served.preemptions = its.preemptions;
  return served;
}

struct Window {
  Picoseconds begin = 0;
  Picoseconds end = 0;
  bool has_arrivals = false;  // at dates of their own

  double length() const { return to_seconds(end - begin); }
  bool holds(Picoseconds date) const { return begin <= date && date <= end; }
};

Window window_of(const Serve& serve, const ServiceResult& result, Picoseconds warm_up) {
  Picoseconds first = serving::kNever;
  Picoseconds last = 0;
  Picoseconds last_token = 0;
  for (const serving::ServedRequest& each : result.requests) {
    if (each.arrival < warm_up) continue;
    first = std::min(first, each.arrival);
    last = std::max(last, each.arrival);
    last_token = std::max(last_token, each.last_token);
  }
  if (serve.concurrency > 0 || first == last) {
    return {warm_up > 0 ? warm_up : first, last_token, false};
  }
  return {warm_up > 0 ? warm_up : first, last, true};
}

// Of a run's tokens, those that are there at that date.
std::int64_t tokens_until(const std::vector<Picoseconds>& handed_out, const TokenRun& run,
                          Picoseconds date) {
  std::int64_t there = 0;
  std::int64_t most = run.count;
  while (there < most) {
    const std::int64_t middle = (there + most) / 2;
    if (handed_out[run.first + middle * run.stride] <= date) {
      there = middle + 1;
    } else {
      most = middle;
    }
  }
  return there;
}

// What a service did within the window for the requests that count.
struct Tally {
  std::int64_t completed = 0;
  std::int64_t good = 0;
  std::int64_t prompt_tokens = 0;
  std::int64_t output_tokens = 0;
};

class Measurement {
 public:
  Measurement(const Plan& plan, const ServiceResult& result, const ServiceFigures& about)
      : plan_(plan),
        serve_(*plan.serve),
        result_(result),
        about_(about),
        warm_up_(serving::to_picoseconds(serve_.warm_up)) {}

  Serving serving();

 private:
  bool counts(int number) const { return result_.requests[number].arrival >= warm_up_; }
  void read_requests();
  void check() const;
  bool within_slo(const ServedRequest& request) const;
  void tally(int number);
  void sum_rates();
  void judge();
  void find_growth();
  void sum_engines();
  void sum_transfers();

  const Plan& plan_;
  const Serve& serve_;
  const ServiceResult& result_;
  const ServiceFigures& about_;
  const Picoseconds warm_up_;
  Window window_;
  Tally tally_;
  std::vector<double> ttft_;  // of the requests that count and were served, as the others
  std::vector<double> tpot_;
  std::vector<double> tpot_or_0_;  // of all of them, for the objective
  std::int64_t attained_ = 0;
  std::int64_t prompt_tokens_ = 0;
  std::int64_t cached_tokens_ = 0;
  int preemptions_ = 0;
  Serving serving_;
};

void Measurement::read_requests() {
  std::vector<double> queue;
  std::vector<double> e2e;
  const double trace_begins =
      serve_.requests.front().in_trace.value - serve_.requests.front().arrival.value;
  for (int number = 0; number < static_cast<int>(result_.requests.size()); ++number) {
    const ServedRequest& each = serving_.requests.emplace_back(
        request_of(serve_.requests[number], trace_begins, result_, number));
    if (!counts(number)) continue;
    ++serving_.offered;
    if (each.refused) {
      ++serving_.refused;
      continue;
    }
    ++serving_.completed;
    queue.push_back(each.queue_s);
    ttft_.push_back(each.ttft_s);
    e2e.push_back(each.e2e_s);
    if (each.tpot_s) tpot_.push_back(*each.tpot_s);
    tpot_or_0_.push_back(each.tpot_s.value_or(0));
    prompt_tokens_ += each.request.prompt_tokens;
    cached_tokens_ += *each.cached_tokens;
    preemptions_ += *each.preemptions;
    if (within_slo(each)) ++attained_;
  }
  serving_.queue_s = interpolated_distribution(std::move(queue));
  serving_.ttft_s = interpolated_distribution(ttft_);
  serving_.tpot_s = interpolated_distribution(tpot_);
  serving_.e2e_s = interpolated_distribution(std::move(e2e));
  serving_.itl_s = inter_token_latency(result_, warm_up_);
}

void Measurement::check() const {
  if (serving_.offered == 0) {
    throw InputError(plan_.where.at("serve.traffic.warm_up"),
                     fmt::format("serve.traffic.warm_up is {}, and no request arrives later: "
                                 "nothing is left to be measured",
                                 to_text(serve_.warm_up)));
  }
  if (serving_.completed == 0) {
    throw InputError(plan_.where.at("serve"),
                     fmt::format("none of the {} requests that count is served: each is longer "
                                 "than the engine takes",
                                 serving_.offered));
  }
}

bool Measurement::within_slo(const ServedRequest& request) const {
  if (!serve_.slo) return false;
  const Slo& slo = *serve_.slo;
  return (!slo.ttft || request.ttft_s <= slo.ttft->value) &&
         (!slo.tpot || request.tpot_s.value_or(0) <= slo.tpot->value);
}

void Measurement::tally(int number) {
  const serving::ServedRequest& its = result_.requests[number];
  if (window_.holds(its.first_token)) {
    tally_.prompt_tokens += serve_.requests[number].prompt_tokens;
  }
  if (window_.holds(its.last_token)) {
    ++tally_.completed;
    if (within_slo(serving_.requests[number])) ++tally_.good;
  }
  if (its.first_at_prefill && window_.holds(its.first_token)) ++tally_.output_tokens;
  const std::vector<Picoseconds>& ends = result_.handed_out[its.replica / result_.ranks];
  for (const TokenRun& run : its.token_runs) {
    tally_.output_tokens +=
        tokens_until(ends, run, window_.end) - tokens_until(ends, run, window_.begin - 1);
  }
}

void Measurement::sum_rates() {
  int arrivals = 0;  // after the window began: what it begins with does not take up time in it
  for (int number = 0; number < static_cast<int>(result_.requests.size()); ++number) {
    if (result_.requests[number].arrival > window_.begin) ++arrivals;
    if (is_served(result_.requests[number])) tally(number);
  }
  const double length = window_.length();
  SIM_CHECK(length > 0, "a service that takes no time");
  const double gpus = about_.gpus;
  serving_.window_s = length;
  const char* const end = window_.has_arrivals ? "last arrival" : "last token";
  serving_.window = warm_up_ > 0           ? std::string("warm-up to ") + end
                    : window_.has_arrivals ? "first to last arrival"
                                           : "whole run";
  if (window_.has_arrivals) serving_.offered_rate = arrivals / length;
  serving_.request_rate = static_cast<double>(tally_.completed) / length;
  serving_.output_tokens_per_s = static_cast<double>(tally_.output_tokens) / length;
  serving_.prompt_tokens_per_s = static_cast<double>(tally_.prompt_tokens) / length;
  serving_.output_tokens_per_s_per_gpu = serving_.output_tokens_per_s / gpus;
  serving_.tokens_per_s_per_gpu =
      (serving_.prompt_tokens_per_s + serving_.output_tokens_per_s) / gpus;
  if (serving_.tpot_s && serving_.tpot_s->mean > 0) {
    serving_.tokens_per_s_per_user = 1 / serving_.tpot_s->mean;
  }
}

void Measurement::judge() {
  if (!serve_.slo) return;
  const Slo& slo = *serve_.slo;
  SloVerdict verdict;
  verdict.quantile = slo.quantile;
  verdict.goodput_requests_per_s = static_cast<double>(tally_.good) / window_.length();
  verdict.attainment = static_cast<double>(attained_) / serving_.offered;
  verdict.met = verdict.attainment >= slo.quantile;
  const auto add = [&](const char* quantity, const std::optional<Seconds>& objective,
                       std::vector<double>& values) {
    if (!objective) return;
    std::sort(values.begin(), values.end());
    verdict.terms.push_back(
        {quantity, objective->value, interpolated_percentile(values, slo.quantile)});
  };
  add("TTFT", slo.ttft, ttft_);
  add("TPOT", slo.tpot, tpot_or_0_);
  serving_.slo = std::move(verdict);
}

void Measurement::find_growth() {
  if (serve_.concurrency > 0) serving_.steady = true;
  if (!window_.has_arrivals) return;
  serving_.arrivals = arrival_window(serve_, result_, lives_of(serve_, result_));
  std::vector<Stay> stays;
  for (const serving::ServedRequest& each : result_.requests) {
    // Those of the warm-up are in the system, too.
    if (is_served(each)) stays.push_back({to_seconds(each.arrival), to_seconds(each.last_token)});
  }
  const BacklogGrowth growth = backlog_growth(stays, to_seconds(window_.begin),
                                              to_seconds(window_.end), *serving_.offered_rate);
  serving_.steady = growth.steady;
  serving_.backlog_growth_per_s = growth.per_s;
}

// Requests in a step are those of engines that decode: the others have as many as a prompt leaves
// room for.
void Measurement::sum_engines() {
  std::int64_t slices = 0;
  std::int64_t steps = 0;
  double fullest = 0;
  for (int number = 0; number < static_cast<int>(result_.totals.size()); ++number) {
    const serving::EngineTotals& engine = result_.totals[number];
    const bool decodes = number >= result_.prefill_engines;
    if (decodes) {
      slices += engine.slices;
      steps += engine.steps - engine.dummy_steps;
    }
    const int blocks = decodes ? about_.kv_blocks : about_.prefill_kv_blocks;
    if (blocks > 0) fullest = std::max(fullest, static_cast<double>(engine.most_blocks) / blocks);
  }
  if (steps > 0) serving_.mean_batch = static_cast<double>(slices) / static_cast<double>(steps);
  if (about_.kv_blocks > 0) serving_.kv_peak_fraction = fullest;
  serving_.preemptions = preemptions_;
  serving_.prefix_hit_fraction =
      static_cast<double>(cached_tokens_) / static_cast<double>(prompt_tokens_);
}

void Measurement::sum_transfers() {
  if (!about_.sent_bytes) return;
  KvTransferFigures figures;
  std::vector<double> times;
  for (int number = 0; number < static_cast<int>(result_.requests.size()); ++number) {
    const serving::ServedRequest& its = result_.requests[number];
    if (!counts(number) || !is_served(its)) continue;
    ++figures.requests;
    figures.bytes += about_.sent_bytes(serve_.requests[number].prompt_tokens);
    times.push_back(to_seconds(its.transfer_end - its.transfer_start));
  }
  figures.time_s = *interpolated_distribution(std::move(times));
  serving_.kv_transfer = figures;
}

Serving Measurement::serving() {
  SIM_CHECK(serve_.requests.size() == result_.requests.size(), "a result of other requests");
  SIM_CHECK(about_.engines == static_cast<int>(result_.totals.size()), "a result of other engines");
  read_requests();
  check();
  window_ = window_of(serve_, result_, warm_up_);
  sum_rates();
  judge();
  find_growth();
  sum_engines();
  sum_transfers();
  return std::move(serving_);
}

}  // namespace

Serving measure_service(const Plan& plan, const ServiceResult& result,
                        const ServiceFigures& about) {
  return Measurement(plan, result, about).serving();
}

Metrics metrics_of_service(Serving serving, const ServiceResult& result,
                           const ServiceFigures& about) {
  Metrics metrics;
  metrics.replayed = false;
  metrics.ranks = about.gpus;
  metrics.makespan_s = to_seconds(result.end);
  metrics.ttft_s = *serving.ttft_s;
  metrics.tpot_s = serving.tpot_s;
  metrics.itl_s = serving.itl_s;
  metrics.prompt_tokens_per_s = serving.prompt_tokens_per_s;
  metrics.output_tokens_per_s = serving.output_tokens_per_s;
  metrics.tokens_per_s = serving.prompt_tokens_per_s + serving.output_tokens_per_s;
  metrics.tokens_per_ms_per_gpu = serving.tokens_per_s_per_gpu / 1e3;
  metrics.output_tokens_per_s_per_gpu = serving.output_tokens_per_s_per_gpu;
  metrics.serving = std::move(serving);
  return metrics;
}

}  // namespace rehearse
