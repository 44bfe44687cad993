// Plans that serve a few requests, and what simulations of them say. Each runs in a process of its
// own.
#pragma once

#include <string>
#include <vector>

#include "cluster_xml/xml_text.hpp"
#include "graph/small_models.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {

// Kernels take their launch, 1 ms, and nothing else that could be seen: every pass of a stage takes
// as long as any other, whatever is in it.
inline std::string launches_only(int gpus, SmallLink link = {1e18, 0}) {
  return clique(gpus, link,
                {.flops_per_second = 1e18, .memory_bandwidth = 1e18, .kernel_launch = 1e-3});
}

struct Arriving {
  double at = 0;
  int prompt = 1;
  int output = 1;
};

inline Plan plan_serving(const std::vector<Arriving>& trace, int max_sequences,
                         Layout layout = {}) {
  Plan plan;
  plan.library.library = "textbook";
  plan.layout = std::move(layout);
  Serve& serve = plan.serve.emplace();
  serve.engine.name = "static";
  serve.engine.max_sequences = max_sequences;
  serve.engine.kv_blocks = 1000;
  for (const Arriving& each : trace) {
    serve.requests.push_back({{each.at}, each.prompt, each.output});
  }
  return plan;
}

// What a run says in numbers, for the way out of its process.
struct Told {
  double makespan = 0;
  double shares = 0;  // the five of a GPU's time, summed
  double no_work = 0;
  double kv_at_peak = 0;
  double window = 0;
  double rate = 0;
  double mean_batch = 0;
  double mean_e2e = 0;
  struct OfRequest {
    double queue = 0;
    double ttft = 0;
    double e2e = 0;
    int engine = 0;
  };
  std::vector<OfRequest> requests;

  double ended(const std::vector<Arriving>& trace, int request) const {
    return trace[request].at + requests[request].e2e;
  }
};

inline std::vector<double> numbers_of(const Metrics& m) {
  const Serving& s = *m.serving;
  std::vector<double> numbers = {m.makespan_s,
                                 m.compute_busy_fraction + m.exposed_fraction +
                                     m.peer_wait_fraction + m.bubble_fraction + m.no_work_fraction,
                                 m.no_work_fraction,
                                 m.memory.bytes[static_cast<int>(MemoryCategory::kKvCache)],
                                 s.window_s,
                                 s.request_rate,
                                 s.mean_batch,
                                 s.e2e_s->mean};
  for (const ServedRequest& each : s.requests) {
    numbers.insert(numbers.end(),
                   {each.queue_s, each.ttft_s, each.e2e_s, static_cast<double>(each.engine)});
  }
  return numbers;
}

inline Told told_of(const std::vector<double>& numbers) {
  Told told;
  double* const head[] = {&told.makespan, &told.shares, &told.no_work,    &told.kv_at_peak,
                          &told.window,   &told.rate,   &told.mean_batch, &told.mean_e2e};
  std::size_t at = 0;
  for (double* const each : head) *each = numbers[at++];
  for (; at < numbers.size(); at += 4) {
    told.requests.push_back(
        {numbers[at], numbers[at + 1], numbers[at + 2], static_cast<int>(numbers[at + 3])});
  }
  return told;
}

inline Simulation simulated(const Model& model, Plan plan, const std::string& zone,
                            SimulationOptions options) {
  const TemporaryXml platform(zone);
  plan.platform_path = platform.path();
  options.memory_limit = Bytes{1e12};
  return simulate(plan, model, options);
}

// What the service says, and of its steps: how many were replayed, end later and earlier.
inline std::vector<double> numbers_replayed(const Simulation& run) {
  std::vector<double> numbers = numbers_of(run.metrics);
  const ReplayedSteps& steps = *run.replayed;
  for (const std::int64_t count : {steps.steps, steps.later, steps.earlier}) {
    numbers.push_back(static_cast<double>(count));
  }
  return numbers;
}

inline std::vector<double> serve_numbers(const Model& model, const Plan& plan,
                                         const std::string& zone) {
  return in_child([&] { return numbers_of(simulated(model, plan, zone, {}).metrics); });
}

inline Told serve(const Model& model, const Plan& plan, const std::string& zone) {
  return told_of(serve_numbers(model, plan, zone));
}

}  // namespace rehearse
