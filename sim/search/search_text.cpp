// The table has no columns of choices that are the same in every row: it is to fit a terminal.
#include "search/search_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "search/assumptions.hpp"
#include "search/columns.hpp"
#include "search/notes.hpp"
#include "search/shortfall.hpp"
#include "search/skew.hpp"
#include "search/ties.hpp"

namespace rehearse {
namespace {

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

std::string choices_of(const SearchInputs& inputs, const SearchRow& row) {
  std::string text;
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

constexpr int kPlaceWidth = 4;          // "plan"
constexpr std::size_t kLeastWidth = 6;  // of a column of numbers
constexpr std::size_t kPlaceOfSkewed = 5;
constexpr char kIndent[] = "       ";

std::size_t shown_width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char each) { return (each & 0xC0) != 0x80; }));  // of UTF-8
}

// Right-aligned, with a space before it.
std::string cell(const std::string& text, std::size_t width) {
  return std::string(1 + width - std::min(width, shown_width(text)), ' ') + text;
}

// Items with "; " between them, in lines that a terminal shows whole.
std::string wrapped(const std::string& before, const std::vector<std::string>& items) {
  constexpr std::size_t kLine = 118;
  std::string text = before;
  std::size_t used = shown_width(before);
  for (std::size_t at = 0; at < items.size(); ++at) {
    const std::string item = items[at] + (at + 1 < items.size() ? ";" : "");
    if (used + 1 + shown_width(item) > kLine && at > 0) {
      text += "\n ";
      used = 1;
    }
    text += " " + item;
    used += 1 + shown_width(item);
  }
  return text + "\n";
}

class Table {
 public:
  Table(const SearchInputs& inputs, const SearchResult& result)
      : inputs_(inputs), columns_(columns_of(inputs)) {
    for (const SearchRow& row : result.ranking) rows_.push_back(&row);
    if (result.plan_row) rows_.push_back(&*result.plan_row);
    for (const LayoutField& each : kLayoutFields) {
      if (!each.searched_where(inputs.goals.serves) || each.width == 0) continue;
      (is_shown(each) ? shown_ : same_).push_back(&each);
    }
  }

  std::string head() const {
    std::string names = fmt::format("{:>{}}   {}", "", kPlaceWidth, "GPUs");
    for (const LayoutField* each : shown_) names += cell(std::string(each->shorthand), each->width);
    if (several_platforms()) names += " on";
    std::string units(names.size(), ' ');
    for (const SearchColumn& each : columns_.all) {
      names += cell(each.head, width_of(each));
      units += cell(unit_of(each), width_of(each));
    }
    if (inputs_.goals.skew) {
      const SearchColumn& first = columns_.all.front();
      names += cell("skewed", width_of(first)) + cell("place", kPlaceOfSkewed);
      units += cell(unit_of(first), width_of(first));
    }
    return names + "\n" + units + "\n";
  }

  std::string row(const std::string& place, const SearchRow& row, bool tie) const {
    std::string text = fmt::format("{:>{}}{}{} {:>4}", place, kPlaceWidth, tie ? "=" : " ",
                                   row.pareto ? "*" : " ", row.candidate.gpus());
    for (const LayoutField* each : shown_)
      text += cell(choice_text(*each, row.candidate), each->width);
    if (several_platforms()) text += "  " + platform_mark(row.candidate.platform);
    for (const SearchColumn& each : columns_.all) {
      const auto value = shown_value(each, row.values, inputs_.goals);
      text += cell(value ? number_cell(*value) : "-", width_of(each));
    }
    if (inputs_.goals.skew) text += skewed_cells(row);
    if (!inputs_.space.platforms[row.candidate.platform].assumed.empty()) text += "  ~";
    text += varied_cells(inputs_, row) + choices_of(inputs_, row) + "\n";
    if (!row.can_be_chosen()) text += kIndent + why_not_chosen(inputs_.goals, row) + "\n";
    return text;
  }

  // What heads mean, and what is in no column.
  std::string legend() const {
    std::vector<std::string> objectives;
    std::vector<std::string> heads;
    for (const SearchColumn& each : columns_.all) {
      if (each.is_objective) objectives.push_back(each.head);
      if (each.definition != each.head) {
        heads.push_back(fmt::format("{}: {}", each.head, each.definition));
      }
    }
    std::string text =
        fmt::format("* in the Pareto set of {}. ↑ more is better, ↓ less. -: not known\n",
                    fmt::join(objectives, ", "));
    text += wrapped("columns:", heads);
    for (const std::string& each : columns_.absences) text += each + "\n";
    if (!same_.empty() && !rows_.empty()) {
      std::vector<std::string> words;
      for (const LayoutField* each : same_) {
        words.push_back(
            fmt::format("{} {}", each->heading, choice_text(*each, rows_.front()->candidate)));
      }
      text += fmt::format("in every row: {}\n", fmt::join(words, ", "));
    }
    if (!several_platforms()) return text;
    for (std::size_t at = 0; at < inputs_.space.platforms.size(); ++at) {
      text += fmt::format("on {}: {}\n", platform_mark(static_cast<int>(at)),
                          inputs_.space.platforms[at].path);
    }
    return text;
  }

  const SearchColumn& first() const { return columns_.all.front(); }

 private:
  // Degrees, and what is not the same in all rows, or not what a plan has that says nothing.
  bool is_shown(const LayoutField& field) const {
    if (field.searched == SearchedAs::kDegree) return true;
    return std::any_of(rows_.begin(), rows_.end(), [&](const SearchRow* row) {
      return value_of(field, row->candidate) != value_of(field, rows_.front()->candidate) ||
             value_of(field, row->candidate) != default_of(field);
    });
  }

  bool several_platforms() const { return inputs_.space.platforms.size() > 1; }

  // A, B, ..., and numbers where the letters end.
  static std::string platform_mark(int platform) {
    constexpr int kLetters = 26;
    if (platform < kLetters) return std::string(1, static_cast<char>('A' + platform));
    return std::to_string(platform + 1);
  }

  static std::string unit_of(const SearchColumn& column) {
    return column.unit + (column.unit.empty() ? "" : " ") + (column.more_is_better ? "↑" : "↓");
  }

  static std::size_t width_of(const SearchColumn& column) {
    return std::max({kLeastWidth, shown_width(column.head), shown_width(unit_of(column))});
  }

  // The first objective and the place under skew.
  std::string skewed_cells(const SearchRow& row) const {
    std::string value = "-";
    std::string place = "-";
    if (row.skewed) {
      const auto shown = shown_value(first(), row.skewed->values, inputs_.goals);
      if (shown) value = number_cell(*shown);
      if (row.skewed->place > 0) place = std::to_string(row.skewed->place);
    }
    return cell(value, width_of(first())) + cell(place, kPlaceOfSkewed);
  }

  const SearchInputs& inputs_;
  const SearchColumns columns_;
  std::vector<const SearchRow*> rows_;
  std::vector<const LayoutField*> shown_;
  std::vector<const LayoutField*> same_;
};

// "39 legal = 14 ranked + 0 failed + ...": a reader can add them.
std::string counts_text(const SearchResult& result) {
  std::string text =
      fmt::format("{} considered = {} not legal + {} legal\n", counted(result.considered, "layout"),
                  result.not_legal(), result.legal);
  text += fmt::format(
      "{} legal = {} ranked + {} failed + {} not simulated{} + {} excluded\n", result.legal,
      result.ranked, result.failures.size(), result.not_simulated,
      result.complete && result.not_simulated > 0 ? " (by their bounds they cannot win)" : "",
      result.legal_excluded());
  const auto shown = static_cast<long>(result.ranking.size());
  if (result.ranked > shown) {
    text += fmt::format("{} ranked = {} in the table + {} behind them (--top shows more)\n",
                        result.ranked, shown, result.ranked - shown);
  }
  return text;
}

// What the mark of a tie means, and how much is expected of the best.
std::string ties_text(const SearchColumn& first, const SearchResult& result) {
  if (result.ranking.empty()) return {};
  const std::optional<double> error = expected_error_of(result.ranking.front());
  if (!error) {
    return "ties are not marked: nobody has compared runs like these with a measurement, so that "
           "no error is known.\n";
  }
  return fmt::format(
      "= {} nearer to the best than the expected error of times, {:.0f} %: a measurement may turn "
      "them round.\n",
      first.head, 100 * *error);
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

std::string why_not_chosen(const SearchGoals& goals, const SearchRow& row) {
  return (row.runs ? "runs, but " : "does not run: ") + reason_text(goals, row);
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
  if (inputs.space.platforms.size() > 1) {
    text += "  " + inputs.space.platforms[row.candidate.platform].path;
  }
  return text + choices_of(inputs, row);
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
  std::string text = counts_text(result);
  const long out = result.not_legal() + result.legal_excluded();
  if (out > 0) {
    text += fmt::format("{} not legal + {} excluded, by reason:\n", result.not_legal(),
                        result.legal_excluded());
  }
  text += exclusions_text(result.excluded, kReasons);
  for (const std::string& each : notes_of(inputs, result)) text += "note: " + each + "\n";
  if (!result.complete) text += "stopped: what follows is only what is known so far\n";
  for (const std::string& each : assumptions_of(inputs)) text += "assumes: " + each + "\n";
  const Table table(inputs, result);
  text += table.head();
  for (std::size_t at = 0; at < result.ranking.size(); ++at) {
    const SearchRow& row = result.ranking[at];
    const bool tie = at > 0 && ties_with(result.ranking.front(), row, inputs.goals);
    text += table.row(std::to_string(at + 1), row, tie);
  }
  if (result.plan_row) text += table.row("plan", *result.plan_row, false);
  text += table.legend() + ties_text(table.first(), result);
  const bool guessed =
      std::any_of(inputs.space.platforms.begin(), inputs.space.platforms.end(),
                  [](const SearchPlatform& each) { return !each.assumed.empty(); });
  if (guessed) text += "~ some figures of the platform are guesses.\n";
  if (inputs.goals.skew) {
    text += fmt::format(
        "skewed: {}, and the place among these rows, with {}: uniform routing favours expert over "
        "tensor parallelism (--no-skew leaves this out).\n",
        table.first().head, skew_text());
  }
  for (const SearchRow& row : result.failures) {
    text += fmt::format("failed: {}: {}\n", row.key, row.failure);
  }
  return text;
}

}  // namespace rehearse
