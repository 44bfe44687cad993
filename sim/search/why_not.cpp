// What is asked, and what rules say of it; what a search knows of the rest is in
// why_not_summary.cpp.
#include "search/why_not.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <set>

#include "base/limits.hpp"
#include "base/nearest_name.hpp"
#include "base/split.hpp"
#include "search/search_text.hpp"

namespace rehearse {
namespace {

constexpr std::size_t kMostReasons = 100;  // lines that anybody reads

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
    if (each.searched_where(serves)) names.emplace(each.name());
  }
  return names;
}

// What a word stands for: "tensor", as a search's options name it, or "tp", as its table does.
const LayoutField* asked_field(const std::string& word, bool serves) {
  for (const LayoutField& each : kLayoutFields) {
    if (each.searched_where(serves) && (word == each.name() || word == each.shorthand))
      return &each;
  }
  return nullptr;
}

// Of a switch as the table says it, too.
std::optional<int> asked_number(const std::string& text, const LayoutField* field) {
  if (field != nullptr && field->is_switch()) {
    if (text == "yes" || text == "true") return 1;
    if (text == "no" || text == "false") return 0;
  }
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  const int least = field == nullptr ? 1 : field->least;
  const bool known = failure == std::errc{} && rest == end && number >= least &&
                     (field == nullptr || number <= field->most);
  return known ? std::optional<int>(number) : std::nullopt;
}

}  // namespace

Question read_question(const std::string& text, const SourceLocation& where, bool serves) {
  const std::set<std::string> known = names_of_degrees(serves);
  Question question{text, where, {}};
  for (const std::string& word : split(text, ',')) {
    const std::size_t equals = std::min(word.find('='), word.size());
    const LayoutField* const field = asked_field(word.substr(0, equals), serves);
    const std::string degree =
        field == nullptr ? word.substr(0, equals) : std::string(field->name());
    const auto number = asked_number(word.substr(std::min(equals + 1, word.size())), field);
    if (!known.contains(degree) || !number) {
      throw InputError(
          where,
          fmt::format("\"{}\": must be DEGREE=NUMBER, or several of them with "
                      "commas, DEGREE one of {}{}",
                      word, fmt::join(known, " "),
                      known.contains(degree) ? "" : hint(degree, {known.begin(), known.end()})));
    }
    if (!question.degrees.emplace(degree, *number).second) {
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
  const auto legal = static_cast<long>(found.legal.size());
  std::string text =
      fmt::format("{}: {} considered = {} not legal + {} legal\n", question.text,
                  counted(found.considered, "layout"), found.considered - legal, legal);
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
      text += exclusions_text(enumerate(asked, inputs.base, inputs.model).excluded, kMostReasons);
    }
  }
  return text + exclusions_text(found.excluded, kMostReasons);
}

}  // namespace rehearse
