#include "search/why_not.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "base/limits.hpp"
#include "base/nearest_name.hpp"
#include "base/split.hpp"
#include "search/search_text.hpp"

namespace rehearse {
namespace {

constexpr std::size_t kMostAnswers = 100;  // lines that anybody reads

// How many GPUs the degrees of the question multiply to, at least.
double least_gpus(const Question& question) {
  double gpus = 1;
  for (const LayoutField& each : kLayoutFields) {
    const auto asked = question.degrees.find(std::string(each.name()));
    const bool factor = each.searched == SearchedAs::kDegree && asked != question.degrees.end();
    if (factor) gpus *= asked->second;
  }
  return gpus;
}

bool all_degrees_given(const Question& question, bool serves) {
  return std::all_of(
      std::begin(kLayoutFields), std::end(kLayoutFields), [&](const LayoutField& each) {
        return each.searched != SearchedAs::kDegree || !each.searched_where(serves) ||
               question.degrees.contains(std::string(each.name()));
      });
}

// What may be asked for: the numbers that a search varies.
std::set<std::string> names_of_degrees(bool serves) {
  std::set<std::string> names = {"gpus"};
  for (const LayoutField& each : kLayoutFields) {
    if (each.searched_where(serves) && !each.is_switch()) names.emplace(each.name());
  }
  return names;
}

// "throughput 1234.5 tokens/s, ttft 0.5 s"
std::string values_text(const SearchGoals& goals, const std::vector<double>& values) {
  std::string text;
  for (const Objective& each : goals.objectives) {
    const std::string unit = search_quantities()[each.quantity].unit;
    text += fmt::format("{}{} {:.5g}{}{}", text.empty() ? "" : ", ", each.name,
                        values[each.quantity], unit.empty() ? "" : " ", unit);
  }
  return text;
}

double value_of(const std::vector<double>& values, const char* quantity) {
  return values[quantity_named(quantity, {})];
}

// By how much `values` miss what the layout is excluded for: memory first, as everywhere.
std::string margin_of(const SearchGoals& goals, const std::vector<double>& values,
                      const char* reached) {
  if (!fits_memory(values, goals)) {
    const double fraction = value_of(values, "memory.peak_fraction");
    const double peak = value_of(values, "memory.peak_bytes");
    const double may =
        goals.serves ? value_of(values, "memory.usable_fraction") : goals.memory_fraction;
    const double usable = may * peak / fraction;
    return fmt::format("{} of {} usable, {:.1f} % too much", to_text(Bytes{peak}),
                       to_text(Bytes{usable}), (peak / usable - 1) * 100);
  }
  std::string text;
  for (const Constraint& each : goals.constraints) {
    const double value = values[each.quantity];
    if (each.holds(value)) continue;
    const std::string unit = search_quantities()[each.quantity].unit;
    text += fmt::format("{}{} {:.5g}{}{}, the limit is {:.5g}", text.empty() ? "" : "; ", reached,
                        value, unit.empty() ? "" : " ", unit, each.limit);
  }
  return text;
}

std::string excluded_text(const SearchGoals& goals, const AskedRow& asked) {
  const bool simulated = !asked.row.values.empty();
  const std::vector<double>& values = simulated ? asked.row.values : asked.bound;
  std::string text = "excluded: " + asked.row.broken;
  if (values.empty()) return text;
  // What a service misses beside constraints says by how much itself.
  const std::string margin = margin_of(goals, values, simulated ? "simulated" : "at best");
  return margin.empty() ? text : text + ": " + margin;
}

std::string cannot_win_text(const SearchInputs& inputs, const AskedRow& asked) {
  const SearchGoals& goals = inputs.goals;
  std::string text =
      fmt::format("cannot win: by its bound at best {}", values_text(goals, asked.bound));
  if (!asked.row.values.empty()) {
    text += fmt::format("; simulated {}", values_text(goals, asked.row.values));
  }
  if (asked.beaten_by) {
    text += fmt::format("; place {} is as good or better in all: {} with {}", asked.beaten_by_place,
                        layout_text(inputs, *asked.beaten_by),
                        values_text(goals, asked.beaten_by->values));
  }
  return text;
}

std::string answer_of(const SearchInputs& inputs, const SearchResult& result,
                      const AskedRow& asked) {
  const SearchGoals& goals = inputs.goals;
  if (!asked.row.failure.empty()) return "failed when simulated: " + asked.row.failure;
  if (!asked.row.broken.empty()) return excluded_text(goals, asked);
  if (asked.place > 0) {
    return fmt::format("{} {} of the {} that are ranked: {}",
                       asked.in_space ? "place" : "would be place", asked.place,
                       result.ranked + (asked.in_space ? 0 : 1),
                       values_text(goals, asked.row.values));
  }
  if (!result.complete) return "not known: the search was stopped";
  return cannot_win_text(inputs, asked);
}

}  // namespace

Question read_question(const std::string& text, const SourceLocation& where, bool serves) {
  const std::set<std::string> known = names_of_degrees(serves);
  Question question{text, where, {}};
  for (const std::string& word : split(text, ',')) {
    const std::size_t equals = std::min(word.find('='), word.size());
    const std::string degree = word.substr(0, equals);
    int number = 0;
    const char* end = word.data() + word.size();
    const char* begin = word.data() + std::min(equals + 1, word.size());
    const auto [rest, failure] = std::from_chars(begin, end, number);
    if (!known.contains(degree) || failure != std::errc{} || rest != end || number < 1) {
      const std::string near = nearest_name(degree, {known.begin(), known.end()});
      throw InputError(where, fmt::format("\"{}\": must be DEGREE=NUMBER, or several of them with "
                                          "commas, DEGREE one of {}{}",
                                          word, fmt::join(known, " "),
                                          known.contains(degree) || near.empty()
                                              ? ""
                                              : fmt::format("; did you mean \"{}\"?", near)));
    }
    if (!question.degrees.emplace(degree, number).second) {
      throw InputError(where, fmt::format("\"{}\": {} is given twice", text, degree));
    }
  }
  return question;
}

Space space_of_question(const Question& question, const Space& space, bool serves) {
  Space asked = space;
  for (const auto& [degree, number] : question.degrees) {
    const IntegerSet only(number, number);
    if (const LayoutField* const field = layout_field(degree)) {
      asked.choices[index_of(*field)] = only;
    } else {
      asked.gpus = only;
    }
  }
  const double gpus = least_gpus(question);
  if (all_degrees_given(question, serves) && gpus <= std::numeric_limits<int>::max() &&
      !question.degrees.contains("gpus")) {
    asked.gpus = IntegerSet(static_cast<int>(gpus), static_cast<int>(gpus));
  }
  return asked;
}

std::string rules_text(const Question& question, const SearchInputs& inputs,
                       const Enumeration& found) {
  const Space& space = inputs.space;
  std::string text = fmt::format("{}: {} considered, {} legal\n", question.text,
                                 counted(found.considered, "layout"), found.legal.size());
  if (found.considered == 0) {
    Space asked = space_of_question(question, space, inputs.goals.serves);
    const int least = asked.gpus.least();
    const int most = asked.gpus.most();
    text += fmt::format(
        "  the product of these degrees, {:.0f}, divides no number of GPUs that is searched ({})\n",
        least_gpus(question),
        least == most ? std::to_string(least) : fmt::format("{}..{}", least, most));
    if (!question.degrees.contains("gpus")) {
      const int gpus = static_cast<int>(std::min<double>(least_gpus(question), kMostGpus));
      asked.gpus = IntegerSet(gpus, gpus);
      text += exclusions_text(enumerate(asked, inputs.base, inputs.model).excluded, kMostAnswers);
    }
  }
  return text + exclusions_text(found.excluded, kMostAnswers);
}

std::string answers_text(const SearchInputs& inputs, const SearchResult& result) {
  std::string text;
  for (std::size_t at = 0; at < result.asked.size() && at < kMostAnswers; ++at) {
    const AskedRow& asked = result.asked[at];
    text += fmt::format("{}{}: {}\n", layout_text(inputs, asked.row),
                        asked.in_space ? "" : " (outside of the ranges that are searched)",
                        answer_of(inputs, result, asked));
  }
  if (result.asked.size() > kMostAnswers) {
    text += fmt::format("and {} more: give more degrees\n", result.asked.size() - kMostAnswers);
  }
  return text;
}

}  // namespace rehearse
