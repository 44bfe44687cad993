#include "commands/search_page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "search/assumptions.hpp"
#include "search/columns.hpp"
#include "search/notes.hpp"
#include "search/search_text.hpp"
#include "search/shortfall.hpp"
#include "search/ties.hpp"

namespace rehearse {
namespace {

// As a shell reads it.
std::string shell_word(const std::string& word) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=,:+@%-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char each : word) text += each == '\'' ? std::string("'\\''") : std::string(1, each);
  return text + "'";
}

// The columns: GPUs and degrees, the platform, the other layout fields, and what is no number.
std::vector<std::string> headings_of_parameters(bool serves) {
  std::vector<std::string> degrees = {"GPUs"};
  std::vector<std::string> others = {"platform"};
  for (const LayoutField& each : kLayoutFields) {
    if (!each.searched_where(serves)) continue;
    (each.searched == SearchedAs::kDegree ? degrees : others).emplace_back(each.heading);
  }
  degrees.insert(degrees.end(), others.begin(), others.end());
  degrees.insert(degrees.end(), {"order", "collectives", "quantization"});
  return degrees;
}

std::vector<std::string> parameters_of(const SearchInputs& inputs, const Candidate& candidate) {
  std::vector<std::string> degrees = {std::to_string(candidate.gpus())};
  std::vector<std::string> others = {inputs.space.platforms[candidate.platform].path};
  for (const LayoutField& each : kLayoutFields) {
    if (!each.searched_where(inputs.goals.serves)) continue;
    (each.searched == SearchedAs::kDegree ? degrees : others)
        .push_back(choice_text(each, candidate));
  }
  degrees.insert(degrees.end(), others.begin(), others.end());
  degrees.push_back(candidate.layout.order);
  degrees.push_back(candidate.collectives.empty() ? "auto"
                                                  : fmt::format("{}", candidate.collectives));
  degrees.push_back(candidate.quantization.empty() ? "the plan's"
                                                   : quantization_text(candidate.quantization));
  return degrees;
}

// Drops those beyond GPUs and degrees that are the same for all candidates, as most are.
void drop_parameters_without_choice(ReportSearch& page, bool serves) {
  const auto shown =
      1 + std::count_if(
              std::begin(kLayoutFields), std::end(kLayoutFields), [&](const LayoutField& each) {
                return each.searched == SearchedAs::kDegree && each.searched_where(serves);
              });
  for (std::size_t at = page.parameters.size(); at-- > static_cast<std::size_t>(shown);) {
    const bool varies = std::any_of(
        page.candidates.begin(), page.candidates.end(), [&](const ReportCandidate& each) {
          return each.parameters[at] != page.candidates.front().parameters[at];
        });
    if (varies) continue;
    const auto column = static_cast<std::ptrdiff_t>(at);
    page.parameters.erase(page.parameters.begin() + column);
    for (ReportCandidate& each : page.candidates) {
      each.parameters.erase(each.parameters.begin() + column);
    }
  }
}

ReportCandidate candidate_of(const PlanRequest& request, const SearchInputs& inputs,
                             const SearchColumns& columns, const SearchRow& row) {
  ReportCandidate candidate;
  candidate.parameters = parameters_of(inputs, row.candidate);
  candidate.status = !row.failure.empty() ? "failed"
                     : row.broken.empty() ? "simulated"
                     : row.runs           ? "misses a constraint"
                                          : "refused";
  if (!row.can_be_chosen()) candidate.reason = reason_text(inputs.goals, row);
  candidate.on_front = row.pareto;
  candidate.command = command_of(request_of(request, inputs, row.candidate));
  candidate.platform_assumed = !inputs.space.platforms[row.candidate.platform].assumed.empty();
  if (row.skewed && row.skewed->place > 0) candidate.skewed_place = row.skewed->place;
  if (row.skewed) {
    candidate.skewed = shown_value(columns.all.front(), row.skewed->values, inputs.goals);
  }
  if (row.values.empty()) return candidate;
  for (const SearchColumn& column : columns.all) {
    candidate.values.push_back(shown_value(column, row.values, inputs.goals));
  }
  return candidate;
}

}  // namespace

PlanRequest request_of(const PlanRequest& of_plan, const SearchInputs& inputs,
                       const Candidate& candidate) {
  PlanRequest request = of_plan;
  request.platform = inputs.space.platforms[candidate.platform].path;
  std::map<std::string, std::string> values = {{"layout.order", candidate.layout.order}};
  for (const LayoutField& each : kLayoutFields) {
    if (!each.searched_where(inputs.goals.serves)) continue;
    const int value = value_of(each, candidate);
    if (each.job == OfJob::kServe && value == 0) continue;  // the engine's default
    values[std::string(each.path)] =
        each.is_switch() ? (value != 0 ? "true" : "false") : std::to_string(value);
  }
  for (const auto& [field, value] : values) {
    request.sets.push_back(fmt::format("{}={}", field, value));
  }
  // The plan's stages are those of its own pipeline; the others have equal ones.
  if (!inputs.base.layout.layers_per_stage.empty()) {
    request.sets.push_back(fmt::format("layout.layers_per_stage={}",
                                       fmt::join(candidate.layout.layers_per_stage, ",")));
  }
  for (const auto& [op, algorithm] : candidate.collectives) {
    request.sets.push_back(fmt::format("collectives.{}={}", op, algorithm));
  }
  for (const auto& [field, dtype] : candidate.quantization) {
    request.sets.push_back(fmt::format("model.{}={}", field, dtype));
  }
  return request;
}

std::string command_of(const PlanRequest& request) {
  std::vector<std::string> words = {"rehearse", "run", request.path};
  const auto add = [&](const char* option, const std::optional<std::string>& value) {
    if (value) words.insert(words.end(), {option, *value});
  };
  add("--variant", request.variant);
  add("--model", request.model);
  add("--platform", request.platform);
  add("--network", request.network);
  add("--seed", request.seed);
  add("--library", request.library);
  add("--engine", request.engine);
  for (const std::string& set : request.sets) words.insert(words.end(), {"--set", set});
  for (std::string& word : words) word = shell_word(word);
  return fmt::format("{}", fmt::join(words, " "));
}

std::vector<const SearchRow*> rows_of(const SearchResult& result) {
  std::vector<const SearchRow*> rows;
  for (const SearchRow& row : result.all.empty() ? result.ranking : result.all)
    rows.push_back(&row);
  for (const SearchRow& row : result.failures) rows.push_back(&row);
  if (!result.plan_row) return rows;
  const bool known = std::any_of(rows.begin(), rows.end(), [&](const SearchRow* other) {
    return other->key == result.plan_row->key;
  });
  if (!known) rows.push_back(&*result.plan_row);
  return rows;
}

ReportSearch page_of(const PlanRequest& request, const SearchInputs& inputs,
                     const SearchResult& result, const std::vector<const SearchRow*>& rows) {
  ReportSearch page;
  page.plan = inputs.base.name;
  if (!inputs.base.variant.empty()) page.plan += " " + inputs.base.variant;
  if (inputs.space.platforms.size() == 1) page.plan += " on " + inputs.space.platforms[0].path;
  page.assumptions = assumptions_of(inputs);
  page.notes = notes_of(inputs, result);
  page.complete = result.complete;
  page.exhaustive = inputs.goals.exhaustive && result.complete;
  page.considered = result.considered;
  page.legal = result.legal;
  page.ranked = result.ranked;
  page.failed = static_cast<long long>(result.failures.size());
  page.not_simulated = result.not_simulated;
  page.parameters = headings_of_parameters(inputs.goals.serves);
  const SearchColumns columns = columns_of(inputs);
  for (const SearchColumn& each : columns.all) {
    page.columns.push_back(
        {each.head, each.unit, each.definition, each.more_is_better, each.is_objective});
  }
  page.absences = columns.absences;
  int rank = 0;
  for (const SearchRow* row : rows) {
    ReportCandidate candidate = candidate_of(request, inputs, columns, *row);
    candidate.is_plan = result.plan_row && result.plan_row->key == row->key;
    // What is known of the plan's own layout alone says nothing about its place.
    const bool ranked = row->can_be_chosen() && !(result.plan_row && row == &*result.plan_row);
    if (ranked) candidate.rank = ++rank;
    candidate.tie = candidate.rank > 1 && ties_with(result.ranking.front(), *row, inputs.goals);
    page.candidates.push_back(std::move(candidate));
  }
  drop_parameters_without_choice(page, inputs.goals.serves);
  for (const auto& [reason, count] : by_count(result.excluded)) {
    page.excluded.push_back({reason, count});
  }
  return page;
}

}  // namespace rehearse
