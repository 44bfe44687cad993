#include "cli/search_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <string_view>
#include <vector>

#include "base/output_file.hpp"
#include "base/processes.hpp"
#include "cli/output_folder.hpp"
#include "cli/run_identity.hpp"
#include "html/run_page.hpp"
#include "html/run_recorder.hpp"
#include "html/search_page.hpp"
#include "metrics/result_json.hpp"
#include "search/assumptions.hpp"
#include "search/search_text.hpp"
#include "simulation/simulation.hpp"
#include "trace/event_text.hpp"

namespace rehearse {
namespace {

// The page of 24 ranks and 128 tokens has about 0.4 MB then, not two.
constexpr std::size_t kSlicesOfAPage = std::size_t{1} << 16;
// A front of many objectives has more points than anybody opens.
constexpr std::size_t kMostPages = 40;

// What `rehearse run` needs to simulate a candidate alone.
PlanRequest request_of(const Options& options, const SearchInputs& inputs,
                       const Candidate& candidate) {
  PlanRequest request = options.plan;
  request.platform = inputs.space.platforms[candidate.platform].path;
  std::map<std::string, std::string> values = {{"layout.order", candidate.layout.order}};
  for (const LayoutField& each : kLayoutFields) {
    if (each.searched == SearchedAs::kNever) continue;
    const int value = value_of(each, candidate);
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
  return request;
}

// As a shell reads it.
std::string shell_word(const std::string& word) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=,:+@%-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char each : word) text += each == '\'' ? std::string("'\\''") : std::string(1, each);
  return text + "'";
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
  for (const std::string& set : request.sets) words.insert(words.end(), {"--set", set});
  for (std::string& word : words) word = shell_word(word);
  return fmt::format("{}", fmt::join(words, " "));
}

// The columns: GPUs and degrees, the platform, the other layout fields, and what is no number.
std::vector<std::string> headings_of_parameters() {
  std::vector<std::string> degrees = {"GPUs"};
  std::vector<std::string> others = {"platform"};
  for (const LayoutField& each : kLayoutFields) {
    if (each.searched == SearchedAs::kNever) continue;
    (each.searched == SearchedAs::kDegree ? degrees : others).emplace_back(each.heading);
  }
  degrees.insert(degrees.end(), others.begin(), others.end());
  degrees.insert(degrees.end(), {"order", "collectives"});
  return degrees;
}

std::vector<std::string> parameters_of(const SearchInputs& inputs, const Candidate& candidate) {
  std::vector<std::string> degrees = {std::to_string(candidate.layout.gpus())};
  std::vector<std::string> others = {inputs.space.platforms[candidate.platform].path};
  for (const LayoutField& each : kLayoutFields) {
    if (each.searched == SearchedAs::kNever) continue;
    (each.searched == SearchedAs::kDegree ? degrees : others)
        .push_back(choice_text(each, candidate));
  }
  degrees.insert(degrees.end(), others.begin(), others.end());
  degrees.push_back(candidate.layout.order);
  degrees.push_back(candidate.collectives.empty() ? "auto"
                                                  : fmt::format("{}", candidate.collectives));
  return degrees;
}

// Drops those beyond GPUs and degrees that are the same for all candidates, as most are.
void drop_parameters_without_choice(ReportSearch& page) {
  const auto shown = 1 + std::count_if(std::begin(kLayoutFields), std::end(kLayoutFields),
                                       [](const LayoutField& each) {
                                         return each.searched == SearchedAs::kDegree;
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

ReportCandidate candidate_of(const Options& options, const SearchInputs& inputs,
                             const SearchRow& row) {
  ReportCandidate candidate;
  candidate.parameters = parameters_of(inputs, row.candidate);
  candidate.status = !row.failure.empty() ? "failed"
                     : row.broken.empty() ? "simulated"
                     : row.runs           ? "misses a constraint"
                                          : "refused";
  candidate.reason = row.reason();
  candidate.on_front = row.pareto;
  candidate.command = command_of(request_of(options, inputs, row.candidate));
  candidate.platform_assumed = !inputs.space.platforms[row.candidate.platform].assumed.empty();
  if (row.skewed && row.skewed->place > 0) candidate.skewed_place = row.skewed->place;
  if (row.skewed && !row.skewed->values.empty()) {
    candidate.skewed = row.skewed->values[inputs.goals.objectives.front().quantity];
  }
  if (row.values.empty()) return candidate;
  for (const Objective& objective : inputs.goals.objectives) {
    candidate.objectives.push_back(row.values[objective.quantity]);
  }
  return candidate;
}

// The rows of the page, in its order.
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

ReportSearch page_of(const Options& options, const SearchInputs& inputs, const SearchResult& result,
                     const std::vector<const SearchRow*>& rows) {
  ReportSearch page;
  page.plan = inputs.base.name;
  if (!inputs.base.variant.empty()) page.plan += " " + inputs.base.variant;
  if (inputs.space.platforms.size() == 1) page.plan += " on " + inputs.space.platforms[0].path;
  page.assumptions = assumptions_of(inputs);
  page.notes = inputs.space.notes;
  page.complete = result.complete;
  page.exhaustive = inputs.goals.exhaustive && result.complete;
  page.considered = result.considered;
  page.legal = result.legal;
  page.ranked = result.ranked;
  page.failed = static_cast<long long>(result.failures.size());
  page.not_simulated = result.not_simulated;
  page.parameters = headings_of_parameters();
  for (const Objective& objective : inputs.goals.objectives) {
    const SearchQuantity& quantity = quantities()[objective.quantity];
    page.objectives.push_back({quantity.label, quantity.unit, quantity.more_is_better});
  }
  int rank = 0;
  for (const SearchRow* row : rows) {
    ReportCandidate candidate = candidate_of(options, inputs, *row);
    candidate.is_plan = result.plan_row && result.plan_row->key == row->key;
    // What is known of the plan's own layout alone says nothing about its place.
    const bool ranked = row->can_be_chosen() && !(result.plan_row && row == &*result.plan_row);
    if (ranked) candidate.rank = ++rank;
    page.candidates.push_back(std::move(candidate));
  }
  drop_parameters_without_choice(page);
  for (const auto& [reason, count] : by_count(result.excluded)) {
    page.excluded.push_back({reason, count});
  }
  return page;
}

std::string text_of_run_page(const Options& options, const SearchInputs& inputs,
                             const SearchRow& row, const std::string& name, Bytes memory) {
  RunRecorder recorder(kSlicesOfAPage);
  SimulationOptions simulation;
  simulation.memory_limit = memory;
  simulation.timeline = &recorder;
  const Plan plan = plan_of(inputs.base, inputs.space, row.candidate);
  const Metrics metrics = simulate(plan, inputs.model, simulation).metrics;
  const RunIdentity identity =
      identity_of(plan, inputs.model, request_of(options, inputs, row.candidate));
  return run_page(inputs.base.name + ": " + name + alike_note(metrics.folded_replicas),
                  result_json(identity, metrics, {}), recorder);
}

void write_run_pages(const Options& options, const SearchInputs& inputs,
                     const std::vector<const SearchRow*>& rows,
                     const std::vector<const SearchRow*>& wanted, Bytes memory, ReportSearch& page,
                     OutputFiles& files) {
  std::vector<std::size_t> places;
  std::vector<std::function<std::string()>> jobs;
  const int at_once = std::min(usable_cpus(), static_cast<int>(wanted.size()));
  for (std::size_t at = 0; at < rows.size(); ++at) {
    if (std::find(wanted.begin(), wanted.end(), rows[at]) == wanted.end()) continue;
    const int rank = page.candidates[at].rank;
    std::string name = rank > 0 ? fmt::format("candidate {}", rank) : "the plan's own layout";
    if (!rows[at]->can_be_chosen()) name += ", which " + why_not_chosen(*rows[at]);
    page.candidates[at].run_page =
        rank > 0 ? fmt::format("runs/{}.html", rank) : std::string("runs/plan.html");
    places.push_back(at);
    jobs.emplace_back([&, at, name] {
      return text_of_run_page(options, inputs, *rows[at], name, memory / at_once);
    });
  }
  const std::vector<JobResult> ends = run_in_processes(jobs, at_once);
  for (std::size_t at = 0; at < ends.size(); ++at) {
    ReportCandidate& candidate = page.candidates[places[at]];
    if (ends[at].end == JobEnd::kDone) {
      files.add(options.out + "/" + candidate.run_page, ends[at].text);
      continue;
    }
    fmt::print(stderr, "{}/{}: warning: not written: {}\n", options.out, candidate.run_page,
               ends[at].text);
    candidate.run_page.clear();
  }
}

// The plan's own, then the front, then the others of the ranking.
std::vector<const SearchRow*> wanted_of(const std::vector<const SearchRow*>& rows,
                                        const SearchResult& result) {
  const auto is_in = [](const std::vector<SearchRow>& list, const SearchRow* row) {
    return std::any_of(list.begin(), list.end(),
                       [&](const SearchRow& other) { return other.key == row->key; });
  };
  std::array<std::vector<const SearchRow*>, 3> by_interest;
  for (const SearchRow* row : rows) {
    if (row->values.empty()) continue;
    if (result.plan_row && result.plan_row->key == row->key) {
      by_interest[0].push_back(row);
    } else if (is_in(result.ranking, row)) {
      by_interest[row->pareto ? 1 : 2].push_back(row);
    }
  }
  std::vector<const SearchRow*> wanted;
  for (const std::vector<const SearchRow*>& each : by_interest) {
    wanted.insert(wanted.end(), each.begin(), each.end());
  }
  if (wanted.size() > kMostPages) wanted.resize(kMostPages);
  return wanted;
}

// "12.html", "plan.html"
bool is_run_page(const std::string& name) {
  constexpr std::string_view kEnding = ".html";
  if (!name.ends_with(kEnding)) return false;
  const std::string stem = name.substr(0, name.size() - kEnding.size());
  if (stem == "plan") return true;
  return !stem.empty() && stem.find_first_not_of("0123456789") == std::string::npos;
}

// Pages of an earlier search in the same folder would be taken for this one's.
void remove_run_pages(const std::string& directory) {
  std::vector<std::filesystem::path> pages;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (is_run_page(entry.path().filename().string())) pages.push_back(entry.path());
  }
  for (const std::filesystem::path& page : pages) std::filesystem::remove(page);
}

}  // namespace

void prepare_search_report(const std::string& directory) {
  prepare_output(directory, {"search.json", "report.html"});
  prepare_output(directory + "/runs", {});
}

void write_search_report(const Options& options, const SearchInputs& inputs,
                         const SearchResult& result, const std::string& json, Bytes memory) {
  const std::vector<const SearchRow*> rows = rows_of(result);
  ReportSearch page = page_of(options, inputs, result, rows);
  const std::vector<const SearchRow*> wanted = wanted_of(rows, result);
  OutputFiles files;
  // Whoever stops a search does not want to wait for more simulations.
  if (!wanted.empty() && result.complete) {
    const bool told = isatty(STDERR_FILENO) == 1;
    if (told) fmt::print(stderr, "\r\033[Kwriting the pages of {} runs", wanted.size());
    write_run_pages(options, inputs, rows, wanted, memory, page, files);
    if (told) fmt::print(stderr, "\r\033[K");
  }
  files.add(options.out + "/search.json", json);
  files.add(options.out + "/report.html", search_page(page));
  const SignalsHeld held;
  remove_run_pages(options.out + "/runs");
  files.commit();
}

}  // namespace rehearse
