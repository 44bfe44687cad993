#include "metrics/assumptions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "accuracy/expected_errors.hpp"
#include "collectives/library.hpp"
#include "cost/device_rates.hpp"
#include "program/lower.hpp"
#include "program/stage_weights.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {

const char* const kAllAtOnce =
    "all requests are there at time 0 and are served as one batch: TTFT, throughput and cost of "
    "requests that arrive one after the other differ";
const char* const kBurst = "one batch, all there at time 0";

namespace {

// Of the rows of what collectives reach.
std::string origin_of_constants(const Device& device) {
  const std::string mean = "the mean of GPUs that were measured: ";
  if (device.gpu.empty()) return mean + "the platform does not say which GPU it has";
  if (device.collectives.empty()) return mean + device.gpu + " was not";
  const bool own = std::any_of(device.collectives.begin(), device.collectives.end(),
                               [](const auto& row) { return !row.second.assumed; });
  return own ? "fitted to published times of " + device.gpu
             : "those of a GPU near to " + device.gpu + " that was measured";
}

std::string error_text(const CollectiveLibrary& library, const Device& device, bool one_domain) {
  const ExpectedError* error =
      expected_error(collective_family(library.name, one_domain), device.gpu, device.vendor);
  if (error == nullptr) return "not known, nobody has compared";
  return fmt::format("{:.0f} %, P90 {:.0f} % ({} published times)", 100 * error->median,
                     100 * error->p90, error->rows);
}

}  // namespace

std::string collectives_assumption(const std::string& library, const Platform& platform) {
  const bool one_kind = !platform.devices.empty();
  CollectiveUse use;
  if (!library.empty()) use.library = library_named(library);
  const CollectiveLibrary* runs = use.library;
  if (runs == nullptr && one_kind) runs = &library_of(use, platform.devices.front());
  if (runs == &textbook_library()) {
    return "collectives run this simulator's own algorithms at the links' stated rates, not "
           "calibrated on a library, which can be several times slower or faster, most of all "
           "between servers";
  }
  if (!one_kind || runs == nullptr) {
    return fmt::format("collectives run as {} runs them, with constants of each platform's GPUs",
                       runs == nullptr ? "the library of the GPUs' vendor" : runs->name);
  }
  const Device& device = platform.devices.front();
  return fmt::format(
      "collectives run as {} runs them; its constants are {}, and between servers those of few "
      "fabrics; expected error in a scale-up domain {}, between servers {}",
      runs->name, origin_of_constants(device), error_text(*runs, device, true),
      error_text(*runs, device, false));
}

namespace {

// That runs the plan's collectives; empty: the vendor's.
std::string library_of_plan(const Plan& plan, const Platform& platform) {
  if (!plan.library.library.empty() || plan.engine.library.empty()) return plan.library.library;
  if (platform.devices.empty()) return plan.engine.library;
  return std::string(library_of(collective_use(plan), platform.devices.front()).name);
}

// Of the engines that decode; empty: they draft no tokens.
std::string drafts_assumption(const Serve& serve, const Model& model) {
  const EngineChoice& engine = serve.pools ? serve.pools->decode.engine : serve.engine;
  if (!engine.speculative || engine.step_time) return "";
  if (drafts_by_prediction(engine, model)) {
    return "tokens are drafted by the model's own prediction, a pass of its layers for each, one "
           "after the other behind every step; how many are accepted is the plan's word";
  }
  return "drafting takes no time and no memory, as a lookup of n-grams does; a draft model or "
         "draft "
         "heads would take both; how many drafts are accepted is the plan's word";
}

}  // namespace

std::vector<std::string> assumptions_of(const Plan& plan, const Model& model,
                                        const Platform& platform, int gpus,
                                        const RunAccuracy* accuracy) {
  std::vector<std::string> all;
  if (plan.serve) {
    all.emplace_back(
        "clients, front end and router take no time; steps take what they take with the network to "
        "themselves");
    if (routes_tokens(plan, model)) {
      all.emplace_back(
          "experts get their shares of every step's tokens, those of routing.model at the "
          "beginning "
          "of a run: what routers draw varies around them");
    }
    if (const std::string drafts = drafts_assumption(*plan.serve, model); !drafts.empty()) {
      all.push_back(drafts);
    }
  } else {
    all.emplace_back(kAllAtOnce);
  }
  if (!plan.engine.name.empty()) all.push_back(plan.engine.assumption);
  if (gpus > 1) {
    all.push_back(collectives_assumption(library_of_plan(plan, platform), platform));
  }
  // Where a token visits every expert, there is nothing to assume.
  if (model.moe && model.moe->top_k < model.moe->experts && plan.routing.model == "uniform") {
    all.emplace_back(
        "routing is uniform: every expert gets as many tokens; routing.model of the plan says "
        "otherwise");
  }
  if (accuracy != nullptr) all.push_back(to_text(*accuracy));
  for (const std::string& guess : platform.assumed) all.push_back(guess);
  for (const std::string& note : notes_of(model, platform)) all.push_back(note);
  return all;
}

}  // namespace rehearse
