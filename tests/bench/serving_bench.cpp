// The bookkeeping of serving alone: a step's price costs nothing here. Requests like those of
// Mooncake's toolagent trace: 23,608 in an hour, prompts of 8,500 tokens in the mean (lognormal),
// outputs of 180, six of ten with a beginning that others have too.
#include <benchmark/benchmark.h>

#include <cmath>

#include "base/random_stream.hpp"
#include "serving/service.hpp"

namespace rehearse::serving {
namespace {

std::vector<Offered> like_mooncake(int count, double seconds) {
  RandomStream draws({1});
  std::vector<Offered> offered;
  double now = 0;
  std::uint64_t fresh = 1'000'000;
  const auto lognormal = [&](double mean, double deviation) {
    return mean * std::exp(deviation * draws.normal() - deviation * deviation / 2);
  };
  for (int request = 0; request < count; ++request) {
    now -= std::log(draws.uniform()) * seconds / count;
    Offered its;
    its.arrival = static_cast<Picoseconds>(now * 1e12);
    its.prompt = std::min(120'000, 1 + static_cast<int>(lognormal(8500, 1.0)));
    its.output = std::min(2000, 1 + static_cast<int>(lognormal(180, 0.8)));
    const int blocks = (its.prompt + its.id_tokens - 1) / its.id_tokens;
    const bool shares = draws.uniform() < 0.6;
    const int family = draws.below(200);
    const int shared = shares ? std::min(blocks - 1, 4 + draws.below(20)) : 0;
    for (int block = 0; block < blocks; ++block) {
      its.prefix_ids.push_back(block < shared ? static_cast<std::uint64_t>(1000 * family + block)
                                              : ++fresh);
    }
    offered.push_back(its);
  }
  return offered;
}

void serve_trace(benchmark::State& state, std::string_view scheduler, bool skip, int requests,
                 int replicas) {
  const std::vector<Offered> offered = like_mooncake(requests, 3600.0);
  ServiceSettings settings;
  settings.engine = default_settings(scheduler, {{80 * 1024.0 * 1024 * 1024}});
  // A model of 70 billion parameters on four H100: about 500,000 tokens.
  settings.engine.kv_blocks = 500'000 / settings.engine.block_tokens;
  settings.engine.chunked_prefill = true;
  settings.engine.skip_repeated_steps = skip;
  settings.engines = replicas;
  std::int64_t events = 0;
  std::int64_t steps = 0;
  for (auto _ : state) {
    LinearPrice price(10'000'000'000, 40'000'000, 2000);
    const ServiceResult result = serve(offered, settings, price);
    events = steps = 0;
    for (const EngineTotals& engine : result.totals) {
      events += engine.events;
      steps += engine.steps;
    }
  }
  state.counters["passes"] = static_cast<double>(events);
  state.counters["steps"] = static_cast<double>(steps);
}

BENCHMARK_CAPTURE(serve_trace, vllm, "vllm", true, 23'608, 8)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(serve_trace, vllm_step_by_step, "vllm", false, 23'608, 8)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(serve_trace, sglang, "sglang", true, 23'608, 8)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(serve_trace, tensorrt_llm, "tensorrt_llm", true, 23'608, 8)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(serve_trace, vllm_64_replicas, "vllm", true, 100'000, 64)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rehearse::serving
