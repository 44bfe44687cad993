// The order matters: SimGrid allows one simulation per process, so what is simulated in children
// starts before this process loads a cluster; the folder is prepared before anybody waits; files
// appear together, when everything is known.
#include "commands/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "base/option_place.hpp"
#include "base/output_file.hpp"
#include "base/processes.hpp"
#include "base/progress.hpp"
#include "claims/because.hpp"
#include "commands/identity.hpp"
#include "commands/output_folder.hpp"
#include "commands/prepare.hpp"
#include "commands/run_about.hpp"
#include "commands/seeds.hpp"
#include "html/page.hpp"
#include "html/run_page.hpp"
#include "html/run_recorder.hpp"
#include "html/service_page.hpp"
#include "routing/capacity.hpp"
#include "routing/token_routing.hpp"
#include "sizing/rates.hpp"
#include "timeline/several_sinks.hpp"
#include "trace/chrome_trace.hpp"
#include "trace/service_trace.hpp"

namespace rehearse {
namespace {

std::string title_of(const RunIdentity& identity) {
  return identity.plan + (identity.variant.empty() ? "" : " " + identity.variant);
}

TraceOptions trace_options(const RunRequest& request, const RunIdentity& identity,
                           OutputFiles& files) {
  TraceOptions trace;
  trace.together = &files;
  trace.path = request.out + "/trace.json.gz";
  trace.title = title_of(identity);
  if (!request.trace_ranks.empty()) trace.ranks = parse_trace_ranks(request.trace_ranks);
  if (!request.trace_window.empty()) trace.window = parse_trace_window(request.trace_window);
  return trace;
}

// Options that say nothing without --out.
void refuse_trace_options_alone(const RunRequest& request) {
  const auto refuse = [](const char* option, const std::string& value) {
    if (value.empty()) return;
    throw InputError(option_place(option, value),
                     fmt::format("{} needs --out: only there is a trace written", option));
  };
  refuse("--trace-ranks", request.trace_ranks);
  refuse("--trace-window", request.trace_window);
}

std::string uniform_makespan(const RunRequest& request) {
  const PreparedPlan uniform(with_uniform_routing(request.prepared.plan()),
                             request.prepared.model());
  const SimulationOptions limits = simulation_options(request.limits);
  return fmt::format("{}", simulate(uniform, limits).metrics.makespan_s);
}

// Of the seeds behind the plan's own.
std::vector<std::string> results_of_seeds(const RunRequest& request, const RunIdentity& identity) {
  const int seeds = seeds_of(request.seeds, request.prepared);
  if (seeds == 1) return {};
  const int at_once = std::min(usable_cpus(), seeds - 1);
  std::vector<std::function<std::string()>> jobs;
  for (int more = 1; more < seeds; ++more) {
    jobs.push_back([&request, &identity, more, at_once] {
      const Plan& plan = request.prepared.plan();
      RunIdentity its = identity;
      its.seed = plan.seed + static_cast<unsigned long long>(more);
      const SimulationOptions options = simulation_options(request.limits, at_once);
      const PreparedPlan other(with_seed(plan, its.seed), request.prepared.model());
      return result_json(its, simulate(other, options).metrics);
    });
  }
  std::vector<std::string> results;
  for (const JobResult& each : run_in_processes(jobs, at_once)) results.push_back(each.value());
  return results;
}

bool folds(const std::string& typed) {
  if (typed == "auto" || typed == "off") return typed == "auto";
  throw InputError(option_place("--fold", typed),
                   fmt::format("unknown value \"{}\": {}", typed, name_rule(typed, "auto off")));
}

// Whether operators of a plan that serves are replayed.
bool replays_operators(const RunRequest& request) {
  const std::string& typed = request.detail;
  if (!typed.empty() && typed != "steps" && typed != "operators") {
    throw InputError(
        option_place("--detail", typed),
        fmt::format("unknown value \"{}\": {}", typed, name_rule(typed, "steps operators")));
  }
  const Plan& plan = request.prepared.plan();
  const std::optional<Serve>& serve = plan.serve;
  if (!serve && !typed.empty()) {
    throw InputError(option_place("--detail", typed),
                     "--detail is of a plan that serves; operators of a batch are always replayed");
  }
  if (!typed.empty()) return typed == "operators";
  return serve && !request.trace_window.empty() &&
         without_operators(plan, request.prepared.model()).field.empty();
}

// `recorder` gets the facts when there is a folder, and the trace waits in `files`.
Simulation simulate_and_trace(const RunRequest& request, const RunIdentity& identity,
                              bool operators, RunRecorder& recorder, OutputFiles& files) {
  SharedCounters counters(1);
  const ProgressLine progress("simulating", counters, request.quiet);
  SimulationOptions simulation = simulation_options(request.limits);
  simulation.progress = &counters[0];
  simulation.explain = request.explain;
  simulation.facts = request.explain;
  simulation.operators = operators;
  simulation.fold = folds(request.fold);
  if (request.out.empty()) {
    refuse_trace_options_alone(request);
    return simulate(request.prepared, simulation);
  }
  prepare_output(request.out,
                 {"result.json", "report.html", "trace.json.gz", "requests.csv", "steps.csv"});
  const TraceOptions options = trace_options(request, identity, files);
  if (request.prepared.plan().serve && !operators) {
    Simulation served = simulate(request.prepared, simulation);
    service_trace(request.prepared.plan(), served.service->result, options);
    return served;
  }
  simulation.span = {options.window.begin, options.window.end};
  ChromeTrace trace(options);
  SeveralSinks sinks;
  sinks.add(&trace);
  // The page of a service is about its requests.
  sinks.add(request.prepared.plan().serve ? nullptr : &recorder);
  simulation.timeline = &sinks;
  return simulate(request.prepared, simulation);
}

// Not an error: the run is over, and its numbers are good.
std::string empty_trace_warning(const RunRequest& request, Seconds makespan) {
  if (request.trace_window.empty() ||
      parse_trace_window(request.trace_window).begin.value < makespan.value) {
    return {};
  }
  return fmt::format("{}: warning: the trace is empty: the run ends at {}",
                     to_text(option_place("--trace-window", request.trace_window)),
                     to_text(makespan));
}

std::string short_window_warning(const Plan& plan, const Metrics& metrics) {
  if (!metrics.serving || !metrics.serving->arrivals) return {};
  const std::string text = short_window_text(*metrics.serving->arrivals, *plan.serve);
  return text.empty() ? text : "warning: " + text;
}

std::vector<std::string> warnings_of(const RunRequest& request, const Simulation& simulation) {
  std::vector<std::string> all;
  const auto add = [&](std::string warning) {
    if (!warning.empty()) all.push_back(std::move(warning));
  };
  if (!request.quiet) {
    add(dropped_tokens_warning(request.prepared.plan(), simulation.metrics));
  }
  add(doubt_warning(simulation.counts.doubt));
  if (!request.quiet) add(short_window_warning(request.prepared.plan(), simulation.metrics));
  if (simulation.replayed) add(replay_note(*simulation.replayed));
  add(empty_trace_warning(request, {simulation.metrics.makespan_s}));
  if (!request.out.empty() && !writes_pages()) add(fmt::format("note: {}", kNoPages));
  return all;
}

void write_files(const RunRequest& request, const RunReport& report, const RunRecorder& recorder,
                 OutputFiles& files) {
  const std::string title = title_of(report.identity);
  const ServiceRun* const service = report.simulation.service.get();
  const Plan& plan = request.prepared.plan();
  files.add(request.out + "/result.json", report.json);
  // Those of another run would not belong to these.
  std::vector<std::string> others;
  const auto add = [&](const char* name, bool is_there, const auto& text) {
    const std::string path = request.out + "/" + name;
    if (is_there) {
      files.add(path, text());
    } else {
      others.push_back(path);
    }
  };
  add("report.html", writes_pages(), [&] {
    const PageAbout about = about_run(plan, request.prepared.model(), report.simulation.metrics);
    return service != nullptr ? service_page(title, report.json, plan, service->result, about)
                              : run_page(title, report.json, recorder, about);
  });
  const auto& serving = report.simulation.metrics.serving;
  add("requests.csv", serving.has_value(), [&] { return requests_csv(*serving); });
  add("steps.csv", service != nullptr && plan.serve->engine.log_steps,
      [&] { return serving::steps_csv(service->result); });
  files.commit();
  for (const std::string& path : others) remove_file(path);
}

constexpr double kTenPercentMore = 1.1;
constexpr std::size_t kChangesShown = 3;
// What cannot be told from rounding is no help.
constexpr double kLeastHelp = 1e-4;

}  // namespace

Plan with_uniform_routing(Plan plan) {
  plan.routing = {};
  plan.placement = {};
  return plan;
}

std::string dropped_tokens_warning(const Plan& plan, const Metrics& metrics) {
  if (!plan.capacity.limited || !metrics.experts || most_accepted(plan.capacity) >= 1) return {};
  const std::string field = plan.capacity.adaptive ? "capacity.max_factor" : "capacity.factor";
  return fmt::format(
      "{}: warning: {} = {} x threshold {} is below 1: {:.3g} % of the (token, expert) "
      "copies were dropped",
      to_text(plan.where.at(field)), field,
      plan.capacity.adaptive ? plan.capacity.max_factor : plan.capacity.factor,
      plan.capacity.threshold, 100 * metrics.experts->dropped_fraction);
}

std::string doubt_warning(const NetworkDoubt& doubt) {
  if (doubt.share() <= kDoubtfulShare) return {};
  return fmt::format(
      "warning: {:.0f} % of the communication time are latencies of collectives that contend "
      "for links; the fluid network may overstate it by as much: compare --network exact",
      100 * doubt.share());
}

std::string replay_note(const ReplayedSteps& replayed) {
  if (replayed.later + replayed.earlier == 0) return {};
  std::string text = "note: replayed operator by operator";
  const auto add = [&](std::int64_t steps, Seconds most, const char* than) {
    if (steps == 0) return;
    text += fmt::format(", {} of {} steps end up to {} {} than priced", steps, replayed.steps,
                        to_text(most), than);
  };
  add(replayed.later, replayed.most_later, "later");
  add(replayed.earlier, replayed.most_earlier, "earlier");
  return text +
         ": collectives share links, or wait for other ranks; the dates of requests are the "
         "prices'";
}

std::string improvements_text(const std::vector<Improvement>& improvements) {
  std::string text = "+10 % of one resource, simulated again; what helps most:\n";
  std::size_t shown = 0;
  for (const Improvement& each : improvements) {
    if (shown == kChangesShown || each.makespan_change > -kLeastHelp) break;
    text += fmt::format("  {:<20} makespan {:+.2f} %, largest TTFT {:+.2f} %\n", each.resource,
                        100 * each.makespan_change, 100 * each.ttft_change);
    ++shown;
  }
  if (shown == 0) text += "  nothing: launches and latencies are all there is\n";
  return text;
}

std::string explanation_text(const RunReport& report) {
  nlohmann::json quantities = nlohmann::json::parse(report.json);
  quantities.update(nlohmann::json::parse(report.simulation.facts));
  std::string text = "\nWhat makes the numbers\n";
  for (const std::string& line : because_of_everything(quantities)) text += "  " + line + "\n";
  if (report.simulation.explained) text += explained_text(*report.simulation.explained);
  return text + improvements_text(report.improvements);
}

RunReport run_plan(const RunRequest& request) {
  const Plan& plan = request.prepared.plan();
  const Model& model = request.prepared.model();
  const bool operators = replays_operators(request);
  RunReport report;
  report.identity = identity_of(plan, model, request.plan);
  if (request.improvements) {
    report.improvements = simulate_improvements(
        request.prepared, simulation_options(request.limits), kTenPercentMore, request.quiet);
  }
  std::optional<JobProcess> uniform;
  // Of a service nobody says what its experts cost it.
  const bool says_experts = routes_tokens(plan, model) && !plan.serve;
  if (says_experts && plan.routing.model != "uniform" && request.uniform_run) {
    uniform.emplace([&] { return uniform_makespan(request); });
  }
  std::vector<std::string> of_seeds = results_of_seeds(request, report.identity);
  RunRecorder recorder;
  OutputFiles files;
  report.simulation = simulate_and_trace(request, report.identity, operators, recorder, files);
  Metrics& metrics = report.simulation.metrics;
  if (uniform) metrics.experts->uniform_makespan_s = std::stod(uniform->wait().value());
  report.warnings = warnings_of(request, report.simulation);
  report.json = result_json(report.identity, metrics, report.simulation.critical_path);
  if (!of_seeds.empty()) {
    of_seeds.push_back(report.json);
    report.seeds = seed_figures(of_seeds);
    report.json =
        result_json(report.identity, metrics, report.simulation.critical_path, report.seeds);
  }
  if (!request.out.empty()) write_files(request, report, recorder, files);
  return report;
}

}  // namespace rehearse
