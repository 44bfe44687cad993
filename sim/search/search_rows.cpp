#include "search/search_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "search/ties.hpp"

namespace rehearse {
namespace {

std::string collectives_text(const Candidate& of) {
  std::string text;
  for (const auto& [op, algorithm] : of.collectives) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", op, algorithm);
  }
  return text;
}

void add_layout(const SearchInputs& inputs, const Candidate& of, NamedCells& row) {
  row.emplace_back("platform", inputs.space.platforms[of.platform].path);
  row.emplace_back("gpus", std::int64_t{of.gpus()});
  for (const LayoutField& each : kLayoutFields) {
    if (!each.searched_where(inputs.goals.serves)) continue;
    const int value = value_of(each, of);
    const bool is_default = each.job == OfJob::kServe && value == 0;  // the engine's own
    row.emplace_back(std::string(each.name()), each.is_switch()
                                                   ? Cell(value != 0)
                                                   : cell_if(!is_default, std::int64_t{value}));
  }
  row.emplace_back("order", of.layout.order);
  row.emplace_back("collectives", cell_of_text(collectives_text(of)));
  row.emplace_back("quantization", cell_of_text(quantization_text(of.quantization)));
  row.emplace_back("layers_per_stage",
                   cell_of_text(fmt::format("{}", fmt::join(of.layout.layers_per_stage, " "))));
}

Cell measured(const std::vector<double>& values, std::size_t quantity) {
  if (quantity >= values.size() || !std::isfinite(values[quantity])) return {};
  return values[quantity];
}

void add_values(const SearchInputs& inputs, const SearchRow& from, NamedCells& row) {
  for (std::size_t at = 0; at < search_quantities().size(); ++at) {
    const SearchQuantity& quantity = search_quantities()[at];
    if (!holds_for(quantity.job, inputs.goals.serves)) continue;
    row.emplace_back(column_of_path(quantity.name), measured(from.values, at));
  }
  row.emplace_back("fits", cell_if(!from.values.empty(),
                                   !from.values.empty() && fits_memory(from.values, inputs.goals)));
  if (!inputs.goals.skew) return;
  const SearchQuantity& first = search_quantities()[inputs.goals.objectives.front().quantity];
  const SkewedRow skewed = from.skewed.value_or(SkewedRow());
  row.emplace_back("skewed_" + column_of_path(first.name),
                   measured(skewed.values, inputs.goals.objectives.front().quantity));
  row.emplace_back("skewed_place", cell_if(skewed.place > 0, std::int64_t{skewed.place}));
}

NamedCells cells_of(const SearchInputs& inputs, const char* kind, const Cell& place,
                    const Cell& tie, const SearchRow& from) {
  const bool failed = !from.failure.empty();
  NamedCells row = {{"row", std::string(kind)},
                    {"place", place},
                    {"pareto", cell_if(!from.values.empty(), from.pareto)},
                    {"tie", tie}};
  add_layout(inputs, from.candidate, row);
  add_values(inputs, from, row);
  row.emplace_back("runs", failed ? false : from.runs);
  row.emplace_back("reason", cell_of_text(from.reason()));
  return row;
}

}  // namespace

Table search_rows(const SearchInputs& inputs, const SearchResult& result) {
  Table table;
  for (std::size_t at = 0; at < result.ranking.size(); ++at) {
    const SearchRow& row = result.ranking[at];
    Cell tie;
    if (expected_error_of(row)) {
      tie = at > 0 && ties_with(result.ranking.front(), row, inputs.goals);
    }
    table.add(cells_of(inputs, "ranked", static_cast<std::int64_t>(at + 1), tie, row));
  }
  if (result.plan_row) table.add(cells_of(inputs, "plan", {}, {}, *result.plan_row));
  for (const SearchRow& row : result.failures) {
    table.add(cells_of(inputs, "failed", {}, {}, row));
  }
  return table;
}

}  // namespace rehearse
