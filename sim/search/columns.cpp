// The table of heads has what people ask of any layout; an objective that is none of them gets its
// own name, and the unit of its quantity.
#include "search/columns.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "search/shortfall.hpp"

namespace rehearse {
namespace {

struct Head {
  const char* quantity;
  const char* head;
  const char* unit;
  double scale;
  bool always;
  OfJob job = OfJob::kAny;
};

// In the order of the table.
constexpr Head kHeads[] = {
    {"ttft_s.p99", "TTFT", "s", 1, true},
    {"tpot_s.mean", "TPOT", "ms", 1e3, true},
    {"throughput.tokens_per_ms_per_gpu", "tok/s/GPU", "", 1e3, true, OfJob::kBatch},
    {"serving.tokens_per_s_per_gpu", "tok/s/GPU", "", 1, true, OfJob::kServe},
    {"cost.dollars_per_million_output_tokens", "$/M out", "USD", 1, true},
    {"serving.goodput_requests_per_s", "goodput", "req/s", 1, true, OfJob::kServe},
    {"serving.slo_attainment", "in SLO", "%", 100, true, OfJob::kServe},
    {"memory.peak_bytes", "memory", "GB", 1e-9, true},
    {"throughput.tokens_per_s", "throughput", "tok/s", 1, false},
    {"cost.gpu_hours_per_million_tokens", "gpu_hours", "h/M tok", 1, false},
    {"cost.gpu_hours_per_million_output_tokens", "gpu_hours", "h/M out", 1, false},
};

SearchColumn column_of(const Head& head) {
  SearchColumn column;
  column.head = head.head;
  column.unit = head.unit;
  column.definition = head.quantity;
  column.quantity = quantity_named(head.quantity, {});
  column.scale = head.scale;
  column.more_is_better = search_quantities()[column.quantity].more_is_better;
  return column;
}

const Head* head_of(int quantity) {
  const auto* const found =
      std::find_if(std::begin(kHeads), std::end(kHeads), [&](const Head& each) {
        return std::string(each.quantity) == search_quantities()[quantity].name;
      });
  return found == std::end(kHeads) ? nullptr : found;
}

SearchColumn column_of(const Objective& objective) {
  SearchColumn column;
  if (const Head* const head = head_of(objective.quantity)) {
    column = column_of(*head);
  } else {
    const SearchQuantity& quantity = search_quantities()[objective.quantity];
    column.head = objective.name;
    column.unit = quantity.unit;
    column.definition = quantity.name;
    column.quantity = objective.quantity;
    column.more_is_better = quantity.more_is_better;
  }
  if (objective.name != column.definition && objective.name != column.head) {
    column.definition = fmt::format("{} ({})", objective.name, column.definition);
  }
  column.is_objective = true;
  return column;
}

bool needs_price(int quantity) {
  return std::string(search_quantities()[quantity].name).find("dollar") != std::string::npos;
}

// Why nothing, or not everything, of a column that needs a price is known.
std::string price_absence(const Space& space, bool& all) {
  std::vector<std::string> without;
  for (const SearchPlatform& each : space.platforms) {
    if (!each.usd_per_hour) without.push_back(each.path);
  }
  all = without.size() == space.platforms.size();
  if (without.empty()) return {};
  return fmt::format(
      "no $/M out{}: no price of a GPU is stated (rehearse platform --price writes one)",
      all ? std::string() : fmt::format(" on {}", fmt::join(without, ", ")));
}

SearchColumn margin_column() {
  SearchColumn column;
  column.head = "margin";
  column.unit = "%";
  column.definition = "what the fullest GPU has left of the memory that it may use";
  column.quantity = quantity_named("memory.peak_bytes", {});
  column.is_margin = true;
  column.more_is_better = true;
  return column;
}

// Of what is always shown, unless it is there already or cannot be.
void add_always(const Head& head, const SearchInputs& inputs, SearchColumns& columns) {
  SearchColumn column = column_of(head);
  const bool known =
      std::any_of(columns.all.begin(), columns.all.end(),
                  [&](const SearchColumn& each) { return each.quantity == column.quantity; });
  if (known) return;
  if (needs_price(column.quantity)) {
    bool all = false;
    const std::string absence = price_absence(inputs.space, all);
    if (!absence.empty()) columns.absences.push_back(absence);
    if (all) return;
  }
  const std::string absence = absence_of(column.quantity, inputs.base);
  if (absence.empty()) {
    columns.all.push_back(std::move(column));
  } else if (column.head == "TPOT" || column.head == "goodput") {
    columns.absences.push_back(fmt::format("no {}: {}", column.head, absence));
  }
}

}  // namespace

SearchColumns columns_of(const SearchInputs& inputs) {
  SearchColumns columns;
  for (const Objective& each : inputs.goals.objectives) columns.all.push_back(column_of(each));
  for (const Head& each : kHeads) {
    if (each.always && holds_for(each.job, inputs.goals.serves)) {
      add_always(each, inputs, columns);
    }
  }
  columns.all.push_back(margin_column());
  return columns;
}

std::optional<double> shown_value(const SearchColumn& column, const std::vector<double>& values,
                                  const SearchGoals& goals) {
  if (values.empty()) return std::nullopt;
  const double value = values[column.quantity];
  double shown = column.scale * value;
  if (column.is_margin) {
    constexpr double kTenths = 10;  // percent, as memory is known no better
    shown = std::round(kTenths * 100 * (1 - value / usable_bytes(values, goals))) / kTenths;
  }
  if (!std::isfinite(shown)) return std::nullopt;
  return shown + 0.0;  // no -0
}

std::string number_cell(double number) {
  constexpr double kMillion = 1e6;
  constexpr double kTenThousand = 1e4;
  constexpr double kSmall = 0.1;  // with one digit less, so that a cell is no wider
  const double size = std::abs(number);
  if (size >= kMillion) return fmt::format("{:.4g}M", number / kMillion);
  if (size >= kTenThousand) return fmt::format("{:.4g}k", number / 1e3);
  return size < kSmall ? fmt::format("{:.3g}", number) : fmt::format("{:.4g}", number);
}

std::string numbers_text(const std::vector<SearchColumn>& columns,
                         const std::vector<double>& values, const SearchGoals& goals) {
  std::string text;
  for (const SearchColumn& each : columns) {
    const std::optional<double> value = shown_value(each, values, goals);
    if (!value) continue;
    text += fmt::format("{}{} {}{}{}", text.empty() ? "" : ", ", each.head, number_cell(*value),
                        each.unit.empty() ? "" : " ", each.unit);
  }
  return text;
}

}  // namespace rehearse
