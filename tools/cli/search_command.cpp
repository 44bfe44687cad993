#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>

#include "base/error.hpp"
#include "base/interrupts.hpp"
#include "base/processes.hpp"
#include "cli/commands.hpp"
#include "cli/prepare.hpp"
#include "cli/run_identity.hpp"
#include "cli/search_report.hpp"
#include "cluster_xml/check_platform_xml.hpp"
#include "input/digest.hpp"
#include "layout/layout_rules.hpp"
#include "network/network_level.hpp"
#include "routing/token_routing.hpp"
#include "search/search.hpp"
#include "search/search_job.hpp"
#include "search/search_json.hpp"
#include "search/search_text.hpp"
#include "search/skew.hpp"
#include "search/why_not.hpp"

namespace rehearse {
namespace {

int whole_number(const char* option, const std::string& text, int least) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{} || rest != end || number < least) {
    throw InputError(option_place(option, text),
                     fmt::format("\"{}\": must be a whole number of at least {}", text, least));
  }
  return number;
}

// The plan's fields, each replaced by its option where that is given.
SpaceText space_text(const Plan& plan, const SearchOptions& options) {
  SpaceText text = space_text_of(plan);
  for (const auto& [field, values] : options.space) {
    if (values.empty()) continue;
    const std::string option = option_of(field);
    text[field] = {values, option_place(option, values.back())};
    static const std::set<std::string> kLists = {"order", "platform", "collectives", "objective",
                                                 "constraint"};
    if (values.size() > 1 && !kLists.contains(field)) {
      throw InputError(text[field].where,
                       fmt::format("{} is given {} times: give it once", option, values.size()));
    }
  }
  return text;
}

SearchPlatform platform_at(const std::string& path) {
  const PlatformFile file = check_platform_xml(path);
  SearchPlatform platform;
  platform.path = path;
  platform.id = sha256_of({path}, {}).substr(0, 12);
  const RunningCost cost = cost_per_gpu(file);
  platform.usd_per_hour = cost.usd_per_hour;
  platform.watts = cost.watts;
  platform.assumed = guesses_of(file);
  for (const GpuHosts& hosts : file.gpus) {
    platform.gpus += static_cast<int>(std::max<std::int64_t>(1, hosts.names.count()));
  }
  return platform;
}

std::vector<SearchPlatform> platforms_of(const SpaceText& text, const Plan& plan) {
  const auto named = text.find("platform");
  if (named == text.end()) return {platform_at(plan.platform_path)};
  std::vector<SearchPlatform> platforms;
  for (const std::string& path : named->second.values) {
    if (!std::filesystem::is_regular_file(path)) {
      throw InputError(named->second.where, fmt::format("cannot read the platform \"{}\"", path));
    }
    SearchPlatform next = platform_at(path);
    const bool again = std::any_of(platforms.begin(), platforms.end(),
                                   [&](const SearchPlatform& each) { return each.id == next.id; });
    if (again) throw InputError(named->second.where, fmt::format("\"{}\" is given twice", path));
    platforms.push_back(std::move(next));
  }
  return platforms;
}

SearchGoals goals_of(const SpaceText& text, const SearchOptions& options) {
  SearchGoals goals;
  const auto objectives = text.find("objective");
  const SpaceField defaults{{"throughput", "ttft", "gpu_hours"}, {}};
  const SpaceField& chosen = objectives == text.end() ? defaults : objectives->second;
  goals.objectives = read_objectives(chosen);
  const auto constraints = text.find("constraint");
  if (constraints != text.end()) goals.constraints = read_constraints(constraints->second);
  goals.top = whole_number("--top", options.top, 0);
  goals.exhaustive = options.exhaustive;
  return goals;
}

// Everything that the options say, read and checked.
struct Prepared {
  Plan plan;
  Model model;
  Space space;
  SearchGoals goals;
  Seconds timeout;
  Limits limits;
};

// What ranks or limits by a cost needs the platforms to state it.
void check_costs(const std::string& what, int quantity, const Space& space) {
  const std::string name = quantities()[quantity].name;
  for (const SearchPlatform& platform : space.platforms) {
    const bool priced = name.find("dollar") == std::string::npos || platform.usd_per_hour;
    const bool powered = name.find("joule") == std::string::npos || platform.watts;
    if (priced && powered) continue;
    throw InputError({platform.path, 1, 1},
                     fmt::format("{} needs the {} of the GPUs: add <prop id=\"{}\" value=\"{}\"/>",
                                 what, priced ? "power" : "price", priced ? "power" : "price",
                                 priced ? "700W" : "2.99USD/h"));
  }
}

void check_goals(const SearchGoals& goals, const SpaceText& text, const Prepared& all) {
  const auto check = [&](const std::string& what, int quantity, const char* field) {
    check_costs(what, quantity, all.space);
    const std::string absence = absence_of(quantity, all.plan);
    if (!absence.empty()) {
      throw InputError(text.at(field).where, fmt::format("{}: {}", what, absence));
    }
  };
  for (const Objective& each : goals.objectives) {
    check("the objective " + each.name, each.quantity, "objective");
  }
  for (const Constraint& each : goals.constraints) {
    check("the constraint " + each.text, each.quantity, "constraint");
  }
}

// Of what decides about results, but for the candidate.
std::string digest_of(const Plan& plan, const Options& options) {
  std::vector<std::string> texts = {REHEARSE_VERSION, plan.variant, to_text(plan.network),
                                    std::to_string(plan.seed)};
  texts.insert(texts.end(), options.plan.sets.begin(), options.plan.sets.end());
  std::vector<std::string> files = files_of_model(plan.model_path);
  files.insert(files.begin(), options.plan.path);
  for (const std::string& file : {plan.routing.table_path, plan.batch.lengths.file}) {
    if (!file.empty()) files.push_back(file);
  }
  return sha256_of(files, texts);
}

class Progress {
 public:
  Progress(const SearchGoals& goals, bool quiet)
      : name_(goals.objectives.front().name),
        quiet_(quiet),
        terminal_(isatty(STDERR_FILENO) == 1) {}
  ~Progress() {
    if (printed_ && terminal_) fmt::print(stderr, "\r\033[K");
  }

  void show(const SearchProgress& at) {
    const Clock::time_point now = Clock::now();
    if (at.bounded < at.to_bound) begun_ = now;
    const Clock::duration every =
        terminal_ ? Clock::duration(std::chrono::milliseconds(200)) : std::chrono::seconds(10);
    if (quiet_ || now - last_ < every) return;
    last_ = now;
    printed_ = true;
    const std::string text = text_of(at, now);
    fmt::print(stderr, "{}{}{}", terminal_ ? "\r\033[K" : "rehearse: ", text,
               terminal_ ? "" : "\n");
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::string text_of(const SearchProgress& at, Clock::time_point now) const {
    if (at.bounded < at.to_bound) return fmt::format("bounds: {} of {}", at.bounded, at.to_bound);
    const double seconds = std::chrono::duration<double>(now - begun_).count();
    const double left = at.simulated > 0 ? seconds / static_cast<double>(at.simulated) *
                                               static_cast<double>(at.open)
                                         : 0;
    return fmt::format("{} simulated, {} from the journal, {} can still win, {:.0f} s left{}",
                       at.simulated, at.known, at.open, left,
                       at.has_best ? fmt::format("; best {} {:.5g}", name_, at.best) : "");
  }

  std::string name_;
  bool quiet_;
  bool terminal_;
  bool printed_ = false;
  Clock::time_point last_ = Clock::now();
  Clock::time_point begun_ = Clock::now();
};

Prepared prepare(const Options& options) {
  Prepared all;
  all.plan = read_plan(options.plan);
  check_search_of(all.plan);
  all.model = read_model(all.plan.model_path, all.plan.model_sets);
  // What no layout mends.
  check_whatever_degrees(all.plan);
  check_routing(all.plan, all.model);
  const SpaceText text = space_text(all.plan, options.search);
  all.space = read_space(text, all.plan, platforms_of(text, all.plan));
  all.goals = goals_of(text, options.search);
  all.goals.memory_fraction = all.plan.memory_fraction;
  check_goals(all.goals, text, all);
  all.goals.skew = !options.search.no_skew && hides_skew(all.plan, all.model);
  try {
    all.timeout = parse_seconds(options.search.timeout);
  } catch (const std::invalid_argument& error) {
    throw InputError(option_place("--timeout", options.search.timeout), error.what());
  }
  all.limits = limits_of(options);
  return all;
}

void refuse_empty(const Enumeration& found) {
  if (!found.legal.empty()) return;
  if (found.considered == 0) {
    throw InputError({"rehearse search", 1, 1},
                     "the space is empty: no product of the degrees is a number of GPUs in it");
  }
  constexpr std::size_t kReasons = 5;
  std::string text =
      fmt::format("the space is empty: none of {} is legal\n", counted(found.considered, "layout"));
  if (found.last.size() < found.excluded.size()) {
    text += "what no layout escapes that keeps the other rules:\n" +
            exclusions_text(found.last, kReasons) + "all:\n";
  }
  text += exclusions_text(found.excluded, kReasons);
  text.pop_back();
  throw InputError({"rehearse search", 1, 1}, text);
}

// More than that help nobody: each is a process, and a simulation keeps one core.
int workers_of(const std::string& text) {
  constexpr int kMost = 1024;
  const int workers = whole_number("--workers", text, 1);
  if (workers <= kMost) return workers;
  throw InputError(option_place("--workers", text),
                   fmt::format("\"{}\": must be at most {} processes", text, kMost));
}

// "5,6,7": sockets at whose other ends workers are (rehearse-mpi).
std::vector<int> sockets_of(const std::string& text) {
  std::vector<int> sockets;
  std::istringstream items(text);
  for (std::string item; std::getline(items, item, ',');) {
    sockets.push_back(whole_number("--worker-sockets", item, 0));
  }
  return sockets;
}

void report_result(const Options& options, const Prepared& all, const SearchInputs& inputs,
                   const SearchResult& result) {
  const SearchIdentity identity = {all.plan.name, all.model.name, all.plan.variant,
                                   to_text(all.plan.network), digest_of(all.plan, options)};
  const std::string json = search_json(inputs, result, identity);
  if (!options.out.empty()) {
    write_search_report(options, inputs, result, json, all.limits.memory);
  }
  if (options.json) {
    fmt::print("{}", json);
  } else if (!options.quiet) {
    fmt::print("{}", search_table(inputs, result));
  }
}

// With the workers, the journal and the progress line that the options ask for.
SearchResult search_with(const Options& options, const SearchInputs& inputs,
                         const Enumeration& candidates, const Prepared& all,
                         std::optional<StopRequest>& stop) {
  std::optional<Journal> journal;
  if (!options.search.journal.empty()) {
    journal.emplace(options.search.journal, digest_of(all.plan, options));
    for (const std::string& warning : journal->warnings()) fmt::print(stderr, "{}\n", warning);
  }
  const Job job = search_job(all.plan, all.model, all.space, all.limits);
  std::optional<Workers> workers;
  if (options.search.worker_sockets.empty()) {
    const int count =
        options.search.workers.empty() ? usable_cpus() : workers_of(options.search.workers);
    workers.emplace(count, job, all.timeout);
  } else {
    workers.emplace(sockets_of(options.search.worker_sockets));
  }
  stop.emplace();  // the workers do not inherit it
  std::optional<Progress> progress(std::in_place, all.goals, options.quiet);
  SearchResult result = search(inputs, candidates, *workers, journal ? &*journal : nullptr,
                               [&](const SearchProgress& at) {
                                 progress->show(at);
                                 return !stop->made();
                               });
  progress.reset();
  if (!result.complete) {
    fmt::print(
        stderr, "rehearse: interrupted{}{}\n",
        options.json || !options.quiet ? ": what follows is what the search knows by now" : "",
        journal ? "; with its journal it goes on from there" : "");
  }
  return result;
}

int why_not(const Options& options, const Prepared& all) {
  const SourceLocation where = option_place("--why-not", options.search.why_not);
  if (options.json || !options.out.empty()) {
    throw InputError(where, "--why-not answers in words: leave out --json and --out");
  }
  const Question question = read_question(options.search.why_not, where);
  const Enumeration asked = enumerate(space_of_question(question, all.space), all.plan, all.model);
  const SearchInputs inputs{all.plan, all.model, all.space, all.goals, asked.legal};
  fmt::print("{}", rules_text(question, inputs, asked));
  std::fflush(stdout);
  if (asked.legal.empty()) return 0;
  std::optional<StopRequest> stop;
  const SearchResult result =
      search_with(options, inputs, enumerate(all.space, all.plan, all.model), all, stop);
  fmt::print("{}", answers_text(inputs, result));
  return result.complete ? 0 : kInterrupted;
}

}  // namespace

int search_command(const Options& options) {
  const Prepared all = prepare(options);
  if (!options.search.why_not.empty()) return why_not(options, all);
  if (!options.quiet) print_notes(all.model);
  const Enumeration candidates = enumerate(all.space, all.plan, all.model);
  refuse_empty(candidates);
  if (!options.out.empty()) prepare_search_report(options.out);
  const SearchInputs inputs{all.plan, all.model, all.space, all.goals};
  std::optional<StopRequest> stop;
  const SearchResult result = search_with(options, inputs, candidates, all, stop);
  report_result(options, all, inputs, result);
  stop.reset();
  if (!result.complete) return kInterrupted;
  return result.ranking.empty() ? 1 : 0;
}

int search_worker_command(const Options& options) {
  std::signal(SIGINT, SIG_IGN);  // Ctrl-C reaches the search, too, which answers it
  const Prepared all = prepare(options);
  serve(STDIN_FILENO, STDOUT_FILENO, search_job(all.plan, all.model, all.space, all.limits),
        all.timeout);
  return 0;
}

}  // namespace rehearse
