#include "metrics/serving.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.hpp"

namespace rehearse {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

Distribution over(const std::vector<ServedRequest>& requests, double ServedRequest::*quantity) {
  std::vector<double> values;
  values.reserve(requests.size());
  for (const ServedRequest& each : requests) values.push_back(each.*quantity);
  return distribution_of(std::move(values));
}

template <class Value>
std::string cell(const std::optional<Value>& value) {
  return value ? fmt::format("{}", *value) : std::string();
}

}  // namespace

void DecisionStarts::begin(const Programs& programs) {
  programs_ = &programs;
  for (const std::vector<Decision>& log : programs.logs) {
    starts_.emplace_back(log.size(), kNever);
  }
  begun_.assign(programs.ranks.size(), -1);
}

void DecisionStarts::operators(const OperatorRun& run) {
  const int decision = run.called->decision;
  if (begun_[run.rank] == decision) return;
  begun_[run.rank] = decision;
  double& start = starts_[programs_->ranks[run.rank].engine][decision];
  start = std::min(start, run.start.value);
}

Serving serving_of(const Plan& plan, const Programs& programs, const TokenTimes& tokens,
                   const DecisionStarts& starts) {
  const std::vector<Request>& trace = plan.serve->requests;
  Serving serving;
  serving.requests.resize(trace.size());
  double decisions = 0;
  for (int engine = 0; engine < static_cast<int>(programs.logs.size()); ++engine) {
    const std::vector<Decision>& log = programs.logs[engine];
    decisions += static_cast<double>(log.size());
    for (std::size_t at = 0; at < log.size(); ++at) {
      for (const int number : log[at].requests) {
        const double arrival = trace[number].arrival.value;
        serving.requests[number] = {trace[number],
                                    engine,
                                    starts.of(engine, at) - arrival,
                                    tokens.first_token(number) - arrival,
                                    tokens.tpot_of(number),
                                    tokens.last_token(number) - arrival};
      }
    }
  }
  const auto requests = static_cast<double>(trace.size());
  serving.offered = static_cast<int>(trace.size());
  serving.completed = serving.offered;  // TokenTimes checks that all got their tokens
  double output = 0;
  double all = 0;
  double last = 0;
  for (const ServedRequest& each : serving.requests) {
    SIM_CHECK(each.queue_s >= 0, "a batch starts before one of its requests is there");
    output += each.request.output_tokens;
    all += each.request.prompt_tokens + each.request.output_tokens;
    last = std::max(last, each.request.arrival.value + each.e2e_s);
  }
  serving.window_s = last - trace.front().arrival.value;
  const double gpu_seconds = serving.window_s * programs.all_ranks();
  serving.request_rate = requests / serving.window_s;
  serving.output_tokens_per_s_per_gpu = output / gpu_seconds;
  serving.tokens_per_s_per_gpu = all / gpu_seconds;
  serving.mean_batch = requests / decisions;
  serving.queue_s = over(serving.requests, &ServedRequest::queue_s);
  serving.e2e_s = over(serving.requests, &ServedRequest::e2e_s);
  return serving;
}

std::string requests_csv(const Serving& serving) {
  std::string text =
      "id,arrival_s,prompt_tokens,output_tokens,cached_tokens,queue_s,ttft_s,tpot_s,e2e_s,"
      "preemptions,replica\n";
  for (std::size_t id = 0; id < serving.requests.size(); ++id) {
    const ServedRequest& each = serving.requests[id];
    text += fmt::format("{},{},{},{},", id, each.request.in_trace.value, each.request.prompt_tokens,
                        each.request.output_tokens);
    if (each.refused) {
      text += ",,,,,,\n";
      continue;
    }
    text +=
        fmt::format("{},{},{},{},{},{},{}\n", cell(each.cached_tokens), each.queue_s, each.ttft_s,
                    cell(each.tpot_s), each.e2e_s, cell(each.preemptions), each.engine);
  }
  return text;
}

std::string steadiness_text(const Serving& serving) {
  if (!serving.steady) return {};
  if (!serving.backlog_growth_per_s) return "closed loop: the backlog cannot grow";
  if (*serving.steady) return "backlog does not grow";
  return fmt::format("backlog grows by {:.3g} requests/s: no steady state",
                     *serving.backlog_growth_per_s);
}

std::string to_text(const SloTerm& term, double quantile) {
  return fmt::format("{} p{:.4g} {}, {:.2f} x the objective of {}", term.quantity, 100 * quantile,
                     to_text(Seconds{term.value_s}), term.over_objective(),
                     to_text(Seconds{term.objective_s}));
}

}  // namespace rehearse
