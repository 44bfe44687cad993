#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <stdexcept>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "base/processes.hpp"
#include "cli/commands.hpp"
#include "cli/memory_limit.hpp"
#include "cli/run_identity.hpp"
#include "compare/compare.hpp"
#include "compare/report.hpp"
#include "metrics/result_json.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// A hundredth, of every field: what a change of the simulator's rounding or of a library may move.
constexpr double kTolerance = 0.01;

// "5%", "2ms", "100MB", "0.01"
Tolerance tolerance_of(const std::string& typed, const std::string& prefix,
                       const std::string& text) {
  Tolerance tolerance{prefix};
  double number = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(rest, text.data() + text.size());
  if (failure == std::errc{} && number >= 0 && (unit.empty() || unit == "%")) {
    (unit == "%" ? tolerance.relative : tolerance.absolute) = unit == "%" ? number / 100 : number;
    return tolerance;
  }
  for (const auto& parse : {std::function<double()>([&] { return parse_bytes(text).value; }),
                            std::function<double()>([&] { return parse_seconds(text).value; })}) {
    try {
      tolerance.absolute = parse();
      return tolerance;
    } catch (const std::invalid_argument&) {
      continue;  // not a unit of this kind
    }
  }
  throw InputError(
      option_place("--tolerance", typed),
      fmt::format("\"{}\": expected a share (1%), a size (1MB), a time (1ms) or a number, "
                  "for one field FIELD=VALUE",
                  typed));
}

std::vector<Tolerance> tolerances_of(const std::vector<std::string>& typed, const json& fields) {
  std::vector<Tolerance> tolerances = {{"", kTolerance, 0}};
  for (const std::string& each : typed) {
    const std::size_t equals = each.find('=');
    if (equals == std::string::npos) {
      tolerances.push_back(tolerance_of(each, "", each));
      continue;
    }
    const std::string field = each.substr(0, equals);
    const std::string top = field.substr(0, field.find_first_of(".["));
    if (!fields.contains(top)) {
      std::vector<std::string> names;
      for (const auto& [name, value] : fields.items()) names.push_back(name);
      throw InputError(option_place("--tolerance", each),
                       fmt::format("unknown field \"{}\": {}", top, suggestion(top, names)));
    }
    tolerances.push_back(tolerance_of(each, field, each.substr(equals + 1)));
  }
  return tolerances;
}

std::string simulated(const Options& options, const std::string& path) {
  PlanRequest request = options.plan;
  request.path = path;
  const Plan plan = read_plan(request);
  const Model model = read_model(plan.model_path, plan.model_sets);
  SimulationOptions simulation;
  simulation.memory_limit = memory_limit(options.max_memory) / 2;
  return result_json(identity_of(plan, model, request), simulate(plan, model, simulation).metrics);
}

// Of a result file as it is, of a plan what it gives.
std::vector<json> results_of(const Options& options) {
  std::vector<std::function<std::string()>> jobs;
  for (const std::string& path : {options.compare.before, options.compare.after}) {
    jobs.push_back([&options, path] {
      const std::optional<std::string> result = read_result(path);
      return result ? *result : simulated(options, path);
    });
  }
  std::vector<json> results;
  for (const JobResult& each : run_in_processes(jobs, usable_cpus())) {
    results.push_back(json::parse(each.value()));
  }
  return results;
}

}  // namespace

int compare_command(const Options& options) {
  const std::vector<json> results = results_of(options);
  const ResultComparison comparison =
      compare(results[0], results[1],
              tolerances_of(options.compare.tolerances, json::parse(result_skeleton())));
  if (options.json) {
    fmt::print("{}", compare_json(comparison));
  } else if (!options.quiet) {
    fmt::print("{} -> {}\n{}", options.compare.before, options.compare.after,
               compare_table(comparison));
  }
  return comparison.regressed() ? 1 : 0;
}

}  // namespace rehearse
