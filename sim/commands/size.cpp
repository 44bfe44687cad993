#include "commands/size.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/error.hpp"
#include "base/option_place.hpp"
#include "base/output_file.hpp"
#include "base/progress.hpp"
#include "commands/identity.hpp"
#include "commands/output_folder.hpp"
#include "commands/prepare.hpp"
#include "sizing/rates.hpp"
#include "sizing/sizing_json.hpp"
#include "sizing/sizing_text.hpp"

namespace rehearse {
namespace {

// Each is a search of some ten simulations.
constexpr int kMostSeeds = 1000;

int seeds_of(const std::string& text, const Plan& plan) {
  int seeds = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, seeds);
  if (failure != std::errc{} || rest != end || seeds < 1 || seeds > kMostSeeds) {
    throw InputError(option_place("--seeds", text),
                     fmt::format("\"{}\": must be a whole number from 1 to {}", text, kMostSeeds));
  }
  if (seeds > 1 && !plan.serve->law && !plan.serve->engine.speculative) {
    throw InputError(option_place("--seeds", text),
                     "the requests of a trace are the same whatever the seed");
  }
  return seeds;
}

}  // namespace

SizeReport size_plan(const SizeRequest& request) {
  const Plan& plan = request.prepared.plan();
  check_sizable(plan);
  SizingOptions options;
  options.simulation = simulation_options(request.limits);
  options.seeds = seeds_of(request.seeds, plan);
  if (!request.out.empty()) prepare_output(request.out, {"size.json"});
  const RunIdentity identity = identity_of(plan, request.prepared.model(), request.plan);
  Sizing sizing;
  {
    SharedCounters counters(1);
    const ProgressLine progress("sizing", counters, request.quiet);
    sizing = size_service(request.prepared, options);
  }
  SizeReport report;
  report.text = sizing_text(identity, plan, sizing);
  report.json = sizing_json(identity, sizing);
  if (!sizing.rate.largest) report.verdict = infeasible_text(sizing);
  if (!request.out.empty()) write_file(request.out + "/size.json", report.json);
  return report;
}

}  // namespace rehearse
