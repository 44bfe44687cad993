// Most of the time goes into steps whose batch is a new one, most of all where several ranks step
// together, and into pricing steps; how many there are nobody knows before. Services are linear in
// their requests, so the first of them are simulated and their steps counted; what a pass takes is
// known then for the rest, too.
#include "simulation/service_work.hpp"

#include <algorithm>

#include "layout/request_lengths.hpp"

namespace rehearse {
namespace {

constexpr double kBlockTokens = 16;
// Of CPU time on a 2-core virtual machine (x86-64, g++ 12), November 2026: the first three of
// services of 20,000 to 200,000 requests with prompts of 500 to 8,500 tokens; the others of what
// eleven services of 300 to 5,000 requests took beyond, of one rank, of two stages and of 8 and 16
// ranks together, with batches of 3 to 140.
constexpr double kRequestUs = 20;
constexpr double kOutputTokenUs = 0.15;
constexpr double kPromptBlockUs = 0.25;
constexpr double kPassUs = 0.3;
constexpr double kDecisionUs = 15;
constexpr double kChosenUs = 0.3;

constexpr std::size_t kLeastPilot = 200;
constexpr std::size_t kMostPilot = 2000;
constexpr std::size_t kShareOfPilot = 10;  // of all requests, a tenth

double passes_of_step(const serving::EngineSettings& engine) {
  return 1.0 * engine.ranks * engine.stages;
}

// A scheduler of a pipeline is asked for every step, most of which have the batch that the stage
// had before: a request changes it when it comes, when its prompt is done and when it goes.
double decisions_of(const serving::EngineTotals& totals, const serving::EngineSettings& engine,
                    double requests) {
  constexpr double kOfRequest = 3;
  const auto events = static_cast<double>(totals.events);
  return engine.stages > 1 ? std::min(events, kOfRequest * requests) : events;
}

}  // namespace

ServiceWork least_work(const Plan& plan) {
  ServiceWork work;
  work.requests = static_cast<double>(plan.serve->requests.size());
  work.prompt_blocks = prompt_tokens(plan) / kBlockTokens;
  work.output_tokens = output_tokens(plan);
  return work;
}

ServiceWork most_work(const Plan& plan) {
  ServiceWork work = least_work(plan);
  const Layout& layout = plan.serve->pools ? plan.serve->pools->decode.layout : plan.layout;
  work.passes = work.output_tokens * layout.expert * layout.pipeline;
  work.decisions = work.passes;
  work.chosen = work.output_tokens;
  return work;
}

ServiceWork work_by_pilot(const Plan& plan, const Plan& pilot, const ServiceRun& run) {
  ServiceWork work = least_work(plan);
  const double times = work.output_tokens / output_tokens(pilot);
  const double requests_each = static_cast<double>(pilot.serve->requests.size()) /
                               static_cast<double>(run.result.totals.size());
  for (std::size_t engine = 0; engine < run.result.totals.size(); ++engine) {
    const bool prefills = static_cast<int>(engine) < run.result.prefill_engines;
    const serving::EngineSettings& settings = (prefills ? *run.prefill : run.engine).settings;
    const double passes = passes_of_step(settings);
    const serving::EngineTotals& totals = run.result.totals[engine];
    const auto steps = static_cast<double>(totals.steps);
    const double decisions = decisions_of(totals, settings, requests_each);
    work.passes += steps * passes * times;
    work.decisions += decisions * passes * times;
    if (steps > 0) work.chosen += decisions * static_cast<double>(totals.slices) / steps * times;
  }
  return work;
}

Plan pilot_of(const Plan& plan) {
  Plan pilot = plan;
  std::vector<Request>& requests = pilot.serve->requests;
  const std::size_t wanted = std::clamp(requests.size() / kShareOfPilot, kLeastPilot, kMostPilot);
  requests.resize(std::min(requests.size(), wanted));
  return pilot;
}

Seconds estimate_time(const ServiceWork& work) {
  const double us = kRequestUs * work.requests + kOutputTokenUs * work.output_tokens +
                    kPromptBlockUs * work.prompt_blocks + kPassUs * work.passes +
                    kDecisionUs * work.decisions + kChosenUs * work.chosen;
  return {us * 1e-6};
}

}  // namespace rehearse
