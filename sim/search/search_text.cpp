#include "search/search_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "search/assumptions.hpp"
#include "search/skew.hpp"
#include "search/ties.hpp"

namespace rehearse {
namespace {

bool has_column(const LayoutField& field, bool serves) {
  return field.width > 0 && field.searched_where(serves);
}

// GPUs, then the columns of the layout.
std::string layout_cells(const SearchRow& row, bool serves) {
  std::string cells = fmt::format("{:>4}", row.candidate.gpus());
  for (const LayoutField& each : kLayoutFields) {
    if (!has_column(each, serves)) continue;
    cells += fmt::format(" {:>{}}", choice_text(each, row.candidate), each.width);
  }
  return cells;
}

std::string layout_head(bool serves) {
  std::string names = "GPUs";
  for (const LayoutField& each : kLayoutFields) {
    if (has_column(each, serves)) names += fmt::format(" {:>{}}", each.shorthand, each.width);
  }
  return names;
}

bool varies(const IntegerSet& choices) {
  return !choices.empty() && choices.least() < choices.most();
}

// What has no column, where several are searched.
std::string varied_cells(const SearchInputs& inputs, const SearchRow& row) {
  std::string text;
  for (const LayoutField& each : kLayoutFields) {
    if (each.width > 0 || !each.searched_where(inputs.goals.serves)) continue;
    if (!varies(inputs.space.choices[index_of(each)])) continue;
    text += fmt::format("  {}={}", each.shorthand, choice_text(each, row.candidate));
  }
  return text;
}

std::string rest_of(const SearchInputs& inputs, const SearchRow& row) {
  std::string text;
  if (inputs.space.platforms.size() > 1) {
    text += "  " + inputs.space.platforms[row.candidate.platform].path;
  }
  if (inputs.space.order.size() > 1) text += "  " + row.candidate.layout.order;
  if (inputs.space.collectives.size() > 1) {
    for (const auto& [op, algorithm] : row.candidate.collectives) {
      text += fmt::format("  {}={}", op, algorithm);
    }
  }
  if (inputs.space.quantizations.size() > 1 && !row.candidate.quantization.empty()) {
    text += "  " + quantization_text(row.candidate.quantization);
  }
  return text;
}

// "USD per M tokens ↓"
std::string unit_of(const Objective& objective) {
  const SearchQuantity& quantity = search_quantities()[objective.quantity];
  const std::string unit = quantity.unit;
  return unit + (unit.empty() ? "" : " ") + (quantity.more_is_better ? "↑" : "↓");
}

// Characters on a terminal; the arrow is three bytes.
std::size_t width_of(const Objective& objective) {
  constexpr std::size_t kLeast = 18;
  return std::max({kLeast, objective.name.size(), unit_of(objective).size() - 2});
}

// The first objective and the place under skew.
std::string skewed_cells(const SearchGoals& goals, const SearchRow& row) {
  const Objective& first = goals.objectives.front();
  std::string value = "-";
  std::string place = "-";
  if (row.skewed && !row.skewed->values.empty()) {
    value = fmt::format("{:.5g}", row.skewed->values[first.quantity]);
  }
  if (row.skewed && row.skewed->place > 0) place = std::to_string(row.skewed->place);
  return fmt::format(" {:>{}} {:>5}", value, width_of(first), place);
}

std::string table_row(const SearchInputs& inputs, const std::string& place, const SearchRow& row,
                      bool tie = false) {
  std::string text = fmt::format("{:>5}{}{} {}", place, tie ? "=" : " ", row.pareto ? "*" : " ",
                                 layout_cells(row, inputs.goals.serves));
  for (const Objective& objective : inputs.goals.objectives) {
    const std::string value =
        row.values.empty() ? "-" : fmt::format("{:.5g}", row.values[objective.quantity]);
    text += fmt::format(" {:>{}}", value, width_of(objective));
  }
  if (inputs.goals.skew) text += skewed_cells(inputs.goals, row);
  if (!inputs.space.platforms[row.candidate.platform].assumed.empty()) text += "  ~";
  text += varied_cells(inputs, row) + rest_of(inputs, row);
  if (!row.can_be_chosen()) text += "  " + why_not_chosen(row);
  return text + "\n";
}

std::string table_head(const SearchInputs& inputs) {
  std::string names = fmt::format("{:>5}   {}", "", layout_head(inputs.goals.serves));
  std::string units(names.size(), ' ');
  for (const Objective& objective : inputs.goals.objectives) {
    const std::size_t width = width_of(objective);
    const std::string unit = unit_of(objective);
    names += fmt::format(" {:>{}}", objective.name, width);
    units += std::string(width - (unit.size() - 2) + 1, ' ') + unit;
  }
  if (inputs.goals.skew) {
    const Objective& first = inputs.goals.objectives.front();
    const std::string unit = unit_of(first);
    names += fmt::format(" {:>{}} {:>5}", "skewed", width_of(first), "place");
    units += std::string(width_of(first) - (unit.size() - 2) + 1, ' ') + unit;
  }
  return names + "\n" + units + "\n";
}

// What the mark of a tie means, and how much is expected of the best.
std::string ties_text(const SearchInputs& inputs, const SearchResult& result) {
  if (result.ranking.empty()) return {};
  const std::optional<double> error = expected_error_of(result.ranking.front());
  if (!error) {
    return "ties are not marked: nobody has compared runs like these with a measurement, so that "
           "no error is known.\n";
  }
  return fmt::format(
      "= {} nearer to the best than the expected error of times, {:.0f} %: a measurement may turn "
      "them round.\n",
      inputs.goals.objectives.front().name, 100 * *error);
}

}  // namespace

std::vector<std::pair<std::string, long>> by_count(const Exclusions& excluded) {
  std::vector<std::pair<std::string, long>> all(excluded.begin(), excluded.end());
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return all;
}

std::string counted(long count, const std::string& what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string choice_text(const LayoutField& field, const Candidate& candidate) {
  const int value = value_of(field, candidate);
  if (field.is_switch()) return value != 0 ? "yes" : "no";
  if (field.job == OfJob::kServe && value == 0) return "auto";  // the engine's default
  return std::to_string(value);
}

std::string why_not_chosen(const SearchRow& row) {
  return (row.runs ? "runs, but " : "does not run: ") + row.reason();
}

std::string layout_text(const SearchInputs& inputs, const SearchRow& row) {
  std::string text;
  for (const LayoutField& each : kLayoutFields) {
    const int value = value_of(each, row.candidate);
    if (!each.searched_where(inputs.goals.serves)) continue;
    if (each.searched != SearchedAs::kDegree && value == default_of(each)) continue;
    text += fmt::format("{}{}", text.empty() ? "" : " ", each.shorthand);
    if (!each.is_switch()) text += fmt::format(" {}", value);
  }
  return text + rest_of(inputs, row);
}

std::string exclusions_text(const Exclusions& excluded, std::size_t most) {
  const auto all = by_count(excluded);
  std::string text;
  long rest = 0;
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (at < most) {
      text += fmt::format("  {:>8}  {}\n", all[at].second, all[at].first);
    } else {
      rest += all[at].second;
    }
  }
  if (rest > 0) {
    const long others = static_cast<long>(all.size() - most);
    text += fmt::format("  {:>8}  for {}\n", rest, counted(others, "other reason"));
  }
  return text;
}

std::string search_table(const SearchInputs& inputs, const SearchResult& result) {
  constexpr std::size_t kReasons = 5;
  std::string text =
      fmt::format("{} considered: {} not legal, {} legal\n", counted(result.considered, "layout"),
                  result.not_legal(), result.legal);
  text += fmt::format(
      "{} legal: {} ranked, {} failed, {} not simulated{}, {} excluded\n", result.legal,
      result.ranked, result.failures.size(), result.not_simulated,
      result.complete && result.not_simulated > 0 ? " (by their bounds they cannot win)" : "",
      result.legal_excluded());
  if (!result.excluded.empty()) text += "not legal, or excluded:\n";
  text += exclusions_text(result.excluded, kReasons);
  for (const std::string& each : inputs.space.notes) text += "note: " + each + "\n";
  if (!result.complete) text += "stopped: what follows is only what is known so far\n";
  for (const std::string& each : assumptions_of(inputs)) text += "assumes: " + each + "\n";
  text += table_head(inputs);
  for (std::size_t at = 0; at < result.ranking.size(); ++at) {
    const SearchRow& row = result.ranking[at];
    const bool tie = at > 0 && ties_with(result.ranking.front(), row, inputs.goals);
    text += table_row(inputs, std::to_string(at + 1), row, tie);
  }
  if (result.plan_row) text += table_row(inputs, "plan", *result.plan_row);
  text += "* in the Pareto set. ↑ more is better, ↓ less.";
  for (const Objective& objective : inputs.goals.objectives) {
    const char* name = search_quantities()[objective.quantity].name;
    if (objective.name != name) text += fmt::format(" {}: {}.", objective.name, name);
  }
  text += "\n" + ties_text(inputs, result);
  const bool guessed =
      std::any_of(inputs.space.platforms.begin(), inputs.space.platforms.end(),
                  [](const SearchPlatform& each) { return !each.assumed.empty(); });
  if (guessed) text += "~ some figures of the platform are guesses.\n";
  if (inputs.goals.skew) {
    text += fmt::format(
        "skewed: {}, and the place among these rows, with {}: uniform routing favours expert over "
        "tensor parallelism (--no-skew leaves this out).\n",
        inputs.goals.objectives.front().name, skew_text());
  }
  for (const SearchRow& row : result.failures) {
    text += fmt::format("failed: {}: {}\n", row.key, row.failure);
  }
  return text;
}

}  // namespace rehearse
