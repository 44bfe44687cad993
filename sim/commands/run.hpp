// `rehearse run`: one plan simulated, with what is simulated beside it to explain its numbers, and
// the files that show it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "input/input.hpp"
#include "metrics/result_json.hpp"
#include "network/network_level.hpp"
#include "simulation/simulation.hpp"
#include "simulation/what_if.hpp"

namespace rehearse {

struct RunRequest {
  const PreparedPlan& prepared;
  PlanRequest plan;  // what it was read from
  Limits limits;
  std::string out = {};           // folder of result.json, report.html and the trace; empty: none
  std::string trace_ranks = {};   // as typed; empty: all
  std::string trace_window = {};  // as typed; empty: the whole run
  std::string fold = "auto";      // as typed
  // As typed: "steps", "operators"; empty: operators of a plan that serves where there is a window.
  std::string detail = {};
  std::string seeds = "1";    // as typed
  bool explain = false;       // find the critical path and the terms of the numbers, too
  bool improvements = false;  // simulate what more of each resource would be worth
  bool uniform_run = true;    // where tokens choose, simulate uniform routing beside it
  bool quiet = false;         // nothing tells how far it is, nor that tokens are dropped
};

struct RunReport {
  RunIdentity identity;
  Simulation simulation;
  std::optional<SeedFigures> seeds = {};  // nothing for one seed
  std::string json;                       // result.json
  std::vector<Improvement> improvements;
  std::vector<std::string> warnings;
};

// Writes the files of `out`, all or none. Throws InputError, before anything is simulated where
// that can be known; and DoesNotFit. REQUIRES: this process has not used SimGrid.
RunReport run_plan(const RunRequest& request);

// Why the numbers are what they are, and what would help. REQUIRES: they were asked for.
std::string explanation_text(const RunReport& report);
// The three that help most, of `improvements`, the best first.
std::string improvements_text(const std::vector<Improvement>& improvements);

// The plan as it would run if all experts were equally popular, when there is nothing to place.
// What a capacity drops or pads, it drops and pads there, too.
Plan with_uniform_routing(Plan plan);

// Empty: the level's times are good.
std::string doubt_warning(const NetworkDoubt& doubt);
// How far the steps of a service are from their prices where they are replayed. Empty: they are
// not.
std::string replay_note(const ReplayedSteps& replayed);
// Few who write a capacity factor of 0.5 know what it costs. Said when the run is over: a pass of
// few tokens drops less than the factor promises. Empty: the plan's capacity is no less than what
// comes.
std::string dropped_tokens_warning(const Plan& plan, const Metrics& metrics);

}  // namespace rehearse
