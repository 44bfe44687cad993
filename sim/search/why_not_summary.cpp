// What became of the layouts that somebody asks about. Of several, first how many there are for
// each reason, with the nearest miss: the one that misses least, ranks best, or has the best bound.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "search/columns.hpp"
#include "search/search_text.hpp"
#include "search/shortfall.hpp"
#include "search/why_not.hpp"

namespace rehearse {
namespace {

constexpr std::size_t kMostAnswers = 12;  // told one by one

class Answers {
 public:
  Answers(const SearchInputs& inputs, const SearchResult& result)
      : inputs_(inputs), result_(result), columns_(columns_of(inputs).all) {}

  std::string line(const AskedRow& asked) const {
    return fmt::format("{}{}: {}", layout_text(inputs_, asked.row),
                       asked.in_space ? "" : " (outside of the ranges that are searched)",
                       answer_of(asked));
  }

  std::string summary() const {
    std::map<std::string, Group> groups;
    for (const AskedRow& each : result_.asked) {
      Group& group = groups[kind_of(each)];
      ++group.layouts;
      if (group.nearest == nullptr || distance_of(each) < distance_of(*group.nearest)) {
        group.nearest = &each;
      }
    }
    std::vector<std::pair<std::string, Group>> sorted(groups.begin(), groups.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
      return a.second.layouts > b.second.layouts;
    });
    std::string text = fmt::format("{} legal, by what became of them:\n", result_.asked.size());
    for (const auto& [kind, group] : sorted) {
      text += fmt::format(
          "  {:>8}  {}\n            nearest: {}\n", group.layouts, kind,
          is_told_one_by_one() ? layout_text(inputs_, group.nearest->row) : line(*group.nearest));
    }
    return text;
  }

  bool is_told_one_by_one() const { return result_.asked.size() <= kMostAnswers; }

 private:
  struct Group {
    long layouts = 0;
    const AskedRow* nearest = nullptr;
  };

  std::string numbers(const std::vector<double>& values) const {
    return numbers_text(columns_, values, inputs_.goals);
  }
  // Of a bound only what it bounds.
  std::string bounds(const std::vector<double>& values) const {
    std::vector<SearchColumn> objectives = columns_;
    std::erase_if(objectives, [](const SearchColumn& each) { return !each.is_objective; });
    return numbers_text(objectives, values, inputs_.goals);
  }

  std::string cannot_win_text(const AskedRow& asked) const {
    std::string text = "cannot win: by its bound at best " + bounds(asked.row.bound);
    if (!asked.row.values.empty()) text += "; simulated " + numbers(asked.row.values);
    if (asked.beaten_by) {
      text +=
          fmt::format("; place {} is as good or better in all: {} with {}", asked.beaten_by_place,
                      layout_text(inputs_, *asked.beaten_by), bounds(asked.beaten_by->values));
    }
    return text;
  }

  std::string answer_of(const AskedRow& asked) const {
    if (!asked.row.failure.empty()) return "failed when simulated: " + asked.row.failure;
    if (!asked.row.broken.empty()) return "excluded: " + reason_text(inputs_.goals, asked.row);
    if (asked.place > 0) {
      return fmt::format("{} {} of the {} that are ranked: {}",
                         asked.in_space ? "place" : "would be place", asked.place,
                         result_.ranked + (asked.in_space ? 0 : 1), numbers(asked.row.values));
    }
    if (!result_.complete) return "not known: the search was stopped";
    return cannot_win_text(asked);
  }

  std::string kind_of(const AskedRow& asked) const {
    if (!asked.row.failure.empty()) return "failed when simulated";
    if (!asked.row.broken.empty()) {
      std::string kind = asked.row.broken_kind.empty() ? asked.row.broken : asked.row.broken_kind;
      const std::size_t amount = kind.find("{}");
      if (amount != std::string::npos) kind.replace(amount, 2, "so much");
      return "excluded: " + kind;
    }
    if (asked.place > 0) return "ranked";
    return result_.complete ? "cannot win by their bounds" : "not known: the search was stopped";
  }

  // Comparable among those of a kind: less is nearer.
  double distance_of(const AskedRow& asked) const {
    const SearchRow& row = asked.row;
    if (!row.failure.empty()) return 0;
    if (asked.place > 0 && row.broken.empty()) return asked.place;
    const std::vector<double>& values = row.values.empty() ? row.bound : row.values;
    if (values.empty()) return INFINITY;
    if (!row.broken.empty()) return miss_of(row, values);
    const int first = inputs_.goals.objectives.front().quantity;
    const double sign = search_quantities()[first].more_is_better ? -1 : 1;
    return sign * row.bound[first];
  }

  double miss_of(const SearchRow& row, const std::vector<double>& values) const {
    if (!fits_memory(values, inputs_.goals)) {
      return values[quantity_named("memory.peak_bytes", {})] / usable_bytes(values, inputs_.goals);
    }
    if (row.broken_amount) {
      // Of the requests within an objective more are better.
      const bool of_requests = row.broken_kind.find("{} % of the requests") != std::string::npos;
      return of_requests ? -*row.broken_amount : *row.broken_amount;
    }
    double most = 0;
    for (const Constraint& each : inputs_.goals.constraints) {
      const double value = values[each.quantity];
      if (!std::isnan(value) && !each.holds(value))
        most = std::max(most, std::abs(value / each.limit - 1));
    }
    return most;
  }

  const SearchInputs& inputs_;
  const SearchResult& result_;
  const std::vector<SearchColumn> columns_;
};

}  // namespace

std::string answers_text(const SearchInputs& inputs, const SearchResult& result) {
  const Answers answers(inputs, result);
  std::string text;
  if (result.asked.size() > 1) text += answers.summary();
  if (!answers.is_told_one_by_one()) {
    return text + "give more degrees to hear of each\n";
  }
  if (result.asked.size() > 1) text += "one by one:\n";
  for (const AskedRow& each : result.asked) text += answers.line(each) + "\n";
  return text;
}

}  // namespace rehearse
