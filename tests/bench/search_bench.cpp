// Bounds, and full simulations, of the layouts of the 24-GPU plan on 16 to 40 GPUs in nodes of 8,
// per second of CPU time; the bounds without the loading of the platform, the simulations with it
// and with the process that each one needs. Required: 2,000 bounds and 30 simulations per second
// and core.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "estimate/bound.hpp"
#include "input/input.hpp"
#include "replay/recorded_run.hpp"
#include "search/search_job.hpp"
#include "simulation/simulation.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

struct Layouts {
  Plan plan;
  Model model;
  Space space;
  std::vector<Candidate> candidates;
};

Layouts layouts(const std::string& gpus) {
  Layouts all;
  all.plan = read_plan({REHEARSE_SOURCE_DIR "/workloads/plans/moe-10b-24gpu.textproto"});
  all.model = read_model(all.plan.model_path, all.plan.model_sets);
  const SearchPlatform platform = {
      REHEARSE_SOURCE_DIR "/platforms/plan-40gpu-nvlink.xml", "000000000000", 40, {}, {}};
  all.space = read_space({{"gpus", {{gpus}, {}}}}, all.plan, {platform});
  all.candidates = enumerate(all.space, all.plan, all.model).legal;
  return all;
}

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void bounds(benchmark::State& state) {
  const Layouts all = layouts("16..40");
  for (auto _ : state) {
    const double seconds = in_child([&] {
      Cluster cluster = load_cluster(all.space.platforms[0].path);
      const double start = cpu_seconds(RUSAGE_SELF);
      Bounder bounder(all.model, cluster, all.plan.engine.times);
      for (const Candidate& each : all.candidates) {
        benchmark::DoNotOptimize(bounder.bound(plan_of(all.plan, all.space, each)));
      }
      return std::vector<double>{cpu_seconds(RUSAGE_SELF) - start};
    })[0];
    state.SetIterationTime(seconds);
    state.counters["bounds_per_s"] = static_cast<double>(all.candidates.size()) / seconds;
  }
}
BENCHMARK(bounds)->UseManualTime()->Unit(benchmark::kMillisecond);

void simulations(benchmark::State& state) {
  const Layouts all = layouts("24");
  for (auto _ : state) {
    const double start = cpu_seconds(RUSAGE_CHILDREN);
    for (const Candidate& each : all.candidates) {
      in_child([&] {
        SimulationOptions options;
        options.memory_limit = Bytes{1e10};
        const Plan plan = plan_of(all.plan, all.space, each);
        return std::vector<double>{simulate(plan, all.model, options).metrics.makespan_s};
      });
    }
    const double seconds = cpu_seconds(RUSAGE_CHILDREN) - start;
    state.SetIterationTime(seconds);
    state.counters["simulations_per_s"] = static_cast<double>(all.candidates.size()) / seconds;
  }
}
BENCHMARK(simulations)->UseManualTime()->Unit(benchmark::kSecond)->Iterations(3);

}  // namespace
}  // namespace rehearse
