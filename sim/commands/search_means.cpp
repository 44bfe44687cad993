// The words are those of a run (report/means.hpp), from the numbers that a search keeps of it.
#include "commands/search_means.hpp"

#include <fmt/format.h>

#include <cmath>

#include "report/means.hpp"
#include "search/search_text.hpp"
#include "search/ties.hpp"

namespace rehearse {
namespace {

class Values {
 public:
  explicit Values(const std::vector<double>& values) : values_(values) {}

  std::optional<double> known(const char* quantity) const {
    const double value = values_[quantity_named(quantity, {})];
    return std::isnan(value) ? std::nullopt : std::optional<double>(value);
  }
  // 0 where it was not measured.
  double of(const char* quantity) const { return known(quantity).value_or(0); }

 private:
  const std::vector<double>& values_;
};

// Of a service that may be chosen: it keeps its objective, and its backlog does not grow.
Serving serving_of(const Values& values, double quantile) {
  Serving serving;
  serving.kv_peak_fraction = values.known("serving.kv_peak_fraction");
  if (const auto preemptions = values.known("serving.preemptions")) {
    serving.preemptions = static_cast<int>(*preemptions);
  }
  const auto met = values.known("serving.slo_met");
  if (!met) return serving;
  SloVerdict& slo = serving.slo.emplace();
  slo.met = *met != 0;
  slo.attainment = values.of("serving.slo_attainment");
  slo.quantile = quantile;
  const std::pair<const char*, const char*> terms[] = {{"TTFT", "serving.ttft_over_objective"},
                                                       {"TPOT", "serving.tpot_over_objective"}};
  for (const auto& [name, quantity] : terms) {
    if (const auto over = values.known(quantity)) slo.terms.push_back({name, 1, *over});
  }
  return serving;
}

Metrics metrics_of(const SearchRow& row, const SearchGoals& goals) {
  const Values values(row.values);
  Metrics metrics;
  metrics.makespan_s = values.of("makespan_s");
  metrics.ttft_s.max = values.of("ttft_s.max");
  metrics.compute_busy_fraction = values.of("utilization.compute_busy_fraction");
  metrics.exposed_fraction = values.of("communication.exposed_fraction");
  metrics.peer_wait_fraction = values.of("communication.peer_wait_fraction");
  metrics.bubble_fraction = values.of("utilization.bubble_fraction");
  metrics.no_work_fraction = values.of("utilization.no_work_fraction");
  if (goals.serves) metrics.serving = serving_of(values, goals.slo_quantile);
  return metrics;
}

std::string none_text(const SearchResult& result) {
  const auto reasons = by_count(result.excluded);
  std::string why;
  if (!reasons.empty()) {
    why = fmt::format(": {} of {} because: {}", reasons.front().second, result.considered,
                      reasons.front().first);
  }
  return fmt::format("{:<14} no layout can be chosen{}\n", "means", why);
}

}  // namespace

std::string means_of_search(const SearchInputs& inputs, const SearchResult& result) {
  if (result.ranking.empty()) return none_text(result);
  const SearchRow& best = result.ranking.front();
  const Candidate& candidate = best.candidate;
  const std::string layout =
      "best: " + layout_words(candidate.layout, inputs.goals.serves ? candidate.replicas : 1,
                              candidate.gpus(), 0);
  const std::optional<double> error = expected_error_of(best);
  return means_line(layout, limit_words(metrics_of(best, inputs.goals)),
                    error ? fmt::format("+-{:.0f} %{}, a median", 100 * *error,
                                        inputs.goals.serves ? " on TPOT" : "")
                          : error_words({}));
}

}  // namespace rehearse
