// The runs that somebody will look at are simulated again, with their timelines, each in a process
// of its own; then everything appears together, in place of what an earlier search left.
#include "commands/search_report.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <string_view>

#include "base/output_file.hpp"
#include "base/processes.hpp"
#include "commands/identity.hpp"
#include "commands/output_folder.hpp"
#include "commands/run_about.hpp"
#include "commands/search_page.hpp"
#include "html/page.hpp"
#include "html/run_page.hpp"
#include "html/run_recorder.hpp"
#include "html/service_page.hpp"
#include "metrics/result_json.hpp"
#include "search/search_text.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

// The page of 24 ranks and 128 tokens has about 0.4 MB then, not two.
constexpr std::size_t kSlicesOfAPage = std::size_t{1} << 16;
// A front of many objectives has more points than anybody opens.
constexpr std::size_t kMostPages = 40;

std::string text_of_run_page(const SearchReportRequest& request, const SearchInputs& inputs,
                             const SearchRow& row, const std::string& name, Bytes memory) {
  RunRecorder recorder(kSlicesOfAPage);
  SimulationOptions simulation;
  simulation.memory_limit = memory;
  simulation.timeline = &recorder;
  const Plan plan = plan_of(inputs.base, inputs.space, row.candidate);
  const Model& model = model_of(inputs.space, inputs.model, row.candidate);
  const Simulation run = simulate(plan, model, simulation);
  const RunIdentity identity =
      identity_of(plan, model, request_of(request.plan, inputs, row.candidate));
  const std::string title = inputs.base.name + ": " + name;
  const std::string json = result_json(identity, run.metrics, {});
  const PageAbout about = about_run(plan, model, run.metrics);
  return run.service ? service_page(title, json, plan, run.service->result, about)
                     : run_page(title, json, recorder, about);
}

// Gives warnings.
std::vector<std::string> write_run_pages(const SearchReportRequest& request,
                                         const SearchInputs& inputs,
                                         const std::vector<const SearchRow*>& rows,
                                         const std::vector<const SearchRow*>& wanted,
                                         ReportSearch& page, OutputFiles& files) {
  std::vector<std::size_t> places;
  std::vector<std::function<std::string()>> jobs;
  const int at_once = std::min(usable_cpus(), static_cast<int>(wanted.size()));
  for (std::size_t at = 0; at < rows.size(); ++at) {
    if (std::find(wanted.begin(), wanted.end(), rows[at]) == wanted.end()) continue;
    const int rank = page.candidates[at].rank;
    std::string name = rank > 0 ? fmt::format("candidate {}", rank) : "the plan's own layout";
    if (!rows[at]->can_be_chosen()) name += ", which " + why_not_chosen(inputs.goals, *rows[at]);
    page.candidates[at].run_page =
        rank > 0 ? fmt::format("runs/{}.html", rank) : std::string("runs/plan.html");
    places.push_back(at);
    jobs.emplace_back([&, at, name] {
      return text_of_run_page(request, inputs, *rows[at], name, request.memory / at_once);
    });
  }
  std::vector<std::string> warnings;
  const std::vector<JobResult> ends = run_in_processes(jobs, at_once);
  for (std::size_t at = 0; at < ends.size(); ++at) {
    ReportCandidate& candidate = page.candidates[places[at]];
    if (ends[at].end == JobEnd::kDone) {
      files.add(request.out + "/" + candidate.run_page, ends[at].text);
      continue;
    }
    warnings.push_back(fmt::format("{}/{}: warning: not written: {}", request.out,
                                   candidate.run_page, ends[at].text));
    candidate.run_page.clear();
  }
  return warnings;
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

std::vector<const SearchRow*> rows_with_pages(const std::vector<const SearchRow*>& rows,
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

void prepare_search_report(const std::string& directory) {
  prepare_output(directory, {"search.json", "report.html"});
  prepare_output(directory + "/runs", {});
}

std::vector<std::string> write_search_report(const SearchReportRequest& request,
                                             const SearchInputs& inputs, const SearchResult& result,
                                             const std::string& json) {
  OutputFiles files;
  files.add(request.out + "/search.json", json);
  if (!writes_pages()) {
    files.commit();
    return {fmt::format("note: {}", kNoPages)};
  }
  const std::vector<const SearchRow*> rows = rows_of(result);
  ReportSearch page = page_of(request.plan, inputs, result, rows);
  const std::vector<const SearchRow*> wanted = rows_with_pages(rows, result);
  std::vector<std::string> warnings;
  // Whoever stops a search does not want to wait for more simulations.
  if (!wanted.empty() && result.complete) {
    if (request.told) {
      fmt::print(stderr, "\r\033[Kwriting the pages of {} runs", wanted.size());
    }
    warnings = write_run_pages(request, inputs, rows, wanted, page, files);
    if (request.told) fmt::print(stderr, "\r\033[K");
  }
  files.add(request.out + "/report.html", search_page(page));
  const SignalsHeld held;
  remove_run_pages(request.out + "/runs");
  files.commit();
  return warnings;
}

}  // namespace rehearse
