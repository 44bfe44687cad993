#include "metrics/serving.hpp"

#include <fmt/format.h>

#include "metrics/backlog.hpp"

namespace rehearse {
namespace {

template <class Value>
std::string cell(const std::optional<Value>& value) {
  return value ? fmt::format("{}", *value) : std::string();
}

}  // namespace

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

const char* arrivals_name(const Serving& serving) {
  return serving.arrivals && serving.arrivals->sessions ? "sessions" : "requests";
}

bool is_unjudged(const Serving& serving) {
  return !serving.steady && serving.arrivals && serving.arrivals->sessions;
}

std::string steadiness_text(const Serving& serving) {
  if (is_unjudged(serving)) {
    return fmt::format(
        "backlog cannot be judged: sessions begin for {}, not twice as long as one "
        "lives ({})",
        to_text(Seconds{serving.arrivals->arrivals_s}), to_text(Seconds{serving.arrivals->life_s}));
  }
  if (!serving.steady) return {};
  if (!serving.backlog_growth_per_s) return "closed loop: the backlog cannot grow";
  if (*serving.steady) return "backlog does not grow";
  return fmt::format("backlog grows by {:.3g} {}/s: no steady state", *serving.backlog_growth_per_s,
                     arrivals_name(serving));
}

std::string to_text(const SloTerm& term, double quantile) {
  return fmt::format("{} p{:.4g} {}, {:.2f} x the objective of {}", term.quantity, 100 * quantile,
                     to_text(Seconds{term.value_s}), term.over_objective(),
                     to_text(Seconds{term.objective_s}));
}

}  // namespace rehearse
