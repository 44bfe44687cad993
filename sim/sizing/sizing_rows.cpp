#include "sizing/sizing_rows.hpp"

namespace rehearse {
namespace {

void add(const char* row, const SizedPoint& point, const Sizing& sizing, Table& table) {
  const Serving& serving = point.serving;
  const auto p50 = [](const std::optional<Distribution>& d) {
    return cell_from(d, &Distribution::p50);
  };
  const auto p99 = [](const std::optional<Distribution>& d) {
    return cell_from(d, &Distribution::p99);
  };
  const std::optional<double>& price = sizing.price.usd_per_hour;
  table.add({{"row", std::string(row)},
             {"rate_per_s", point.rate},
             {"replicas", std::int64_t{point.replicas}},
             {"gpus", std::int64_t{point.gpus}},
             {"feasible", point.feasible()},
             {"offered", std::int64_t{serving.offered}},
             {"completed", std::int64_t{serving.completed}},
             {"refused", std::int64_t{serving.refused}},
             {"attainment_fraction", serving.slo->attainment},
             {"ttft_p50_s", p50(serving.ttft_s)},
             {"ttft_p99_s", p99(serving.ttft_s)},
             {"tpot_p50_s", p50(serving.tpot_s)},
             {"tpot_p99_s", p99(serving.tpot_s)},
             {"kv_peak_fraction", cell_of(serving.kv_peak_fraction)},
             {"preemptions", cell_of(serving.preemptions)},
             {"output_tokens_per_s_per_gpu", serving.output_tokens_per_s_per_gpu},
             {"steady", cell_of(serving.steady)},
             {"backlog_growth_per_s", cell_of(serving.backlog_growth_per_s)},
             {"window_lives",
              cell_from(serving.arrivals, [](const ArrivalWindow& its) { return its.lives(); })},
             {"dollars_per_hour", cell_from(price, [&](double usd) { return usd * point.gpus; })},
             {"dollars_per_million_output_tokens",
              cell_of(cost_of_point(point, sizing.price).dollars_per_million_output_tokens)}});
}

}  // namespace

Table sizing_rows(const Sizing& sizing) {
  Table table;
  const auto add_known = [&](const char* row, const std::optional<SizedPoint>& point) {
    if (point) add(row, *point, sizing, table);
  };
  add("plan", sizing.at_plan, sizing, table);
  add_known("largest", sizing.rate.largest);
  add("above", sizing.rate.above, sizing, table);
  if (sizing.fewest) {
    add_known("fewest", sizing.fewest->at);
    add_known("one_less", sizing.fewest->one_less);
    add_known("one_more", sizing.fewest->one_more);
    if (!sizing.fewest->at) add("with_most", sizing.fewest->with_most, sizing, table);
  }
  for (const SizedPoint& each : sizing.curve) add("curve", each, sizing, table);
  return table;
}

}  // namespace rehearse
