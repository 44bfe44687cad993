#include "metrics/seed_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

namespace rehearse {
namespace {

using nlohmann::json;

// Of a result: what it is about stays the same whatever the seed.
constexpr std::array kSpread = {"makespan_s",  "ttft_s",  "tpot_s",  "decode_step_s",
                                "itl_s",       "queue_s", "e2e_s",   "throughput",
                                "utilization", "cost",    "serving", "communication"};
constexpr std::array kShown = {"ttft_s.mean",
                               "ttft_s.p50",
                               "ttft_s.p99",
                               "tpot_s.mean",
                               "tpot_s.p99",
                               "e2e_s.mean",
                               "serving.request_rate",
                               "serving.goodput_requests_per_s",
                               "serving.slo_attainment",
                               "serving.output_tokens_per_s_per_gpu"};

using Values = std::map<std::string, std::vector<double>>;  // by path

void take(const json& tree, const std::string& path, Values& values) {
  if (tree.is_object()) {
    for (const auto& [name, value] : tree.items()) {
      take(value, fmt::format("{}.{}", path, name), values);
    }
  } else if (tree.is_number()) {
    values[path].push_back(tree.get<double>());
  }
}

SeedFigure figure_of(const std::string& path, const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  SeedFigure figure{path, 0, 0, *least, *most};
  figure.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double each : values) squares += (each - figure.mean) * (each - figure.mean);
  if (values.size() > 1) figure.standard_deviation = std::sqrt(squares / (count - 1));
  return figure;
}

}  // namespace

SeedFigures seed_figures(const std::vector<std::string>& results) {
  Values values;
  for (const std::string& text : results) {
    const json result = json::parse(text);
    for (const char* const name : kSpread) {
      if (result.contains(name)) take(result.at(name), name, values);
    }
  }
  SeedFigures seeds;
  seeds.seeds = static_cast<int>(results.size());
  for (const auto& [path, all] : values) {
    if (all.size() == results.size()) seeds.figures.push_back(figure_of(path, all));
  }
  return seeds;
}

std::string seeds_text(const SeedFigures& seeds) {
  std::string text = fmt::format("\n{} seeds: {:<28} {:>12} {:>12} {:>12} {:>12}\n", seeds.seeds,
                                 "", "mean", "std. dev.", "least", "most");
  for (const char* const name : kShown) {
    for (const SeedFigure& each : seeds.figures) {
      if (each.figure != name) continue;
      text += fmt::format("  {:<36} {:>12.5g} {:>12.3g} {:>12.5g} {:>12.5g}\n", each.figure,
                          each.mean, each.standard_deviation, each.least, each.most);
    }
  }
  return text;
}

}  // namespace rehearse
