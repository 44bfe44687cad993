// Time to first token of the 24-GPU plan against closed forms written out here, independent of the
// code under test.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "input/input.hpp"
#include "simulation/simulation.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

const std::string kSource = REHEARSE_SOURCE_DIR;

Metrics simulate_plan(const std::vector<std::string>& sets, const std::string& platform = {}) {
  PlanRequest request;
  request.path = kSource + "/workloads/plans/moe-10b-24gpu.textproto";
  request.sets = sets;
  // The closed forms are those of the algorithms at the links' own rates.
  request.sets.emplace_back("collectives.library=textbook");
  if (!platform.empty()) request.platform = platform;
  const Plan plan = read_plan(request);
  const Model model = read_model(plan.model_path, plan.model_sets);
  SimulationOptions options;
  options.memory_limit = Bytes{1e12};
  return simulate(plan, model, options).metrics;
}

// The as-assumed platform: 400 TFLOP/s x 0.60, 1.8 TB/s x 0.80, every pair of GPUs at 1.44 TB/s, no
// launch, no latency.
constexpr double kFlops = 240e12;
constexpr double kMemory = 1.44e12;
constexpr double kLink = 1.44e12;

double roofline(double flops, double bytes) { return std::max(flops / kFlops, bytes / kMemory); }

// One layer of the declared-dense model for a micro-batch of `s` prompts of 10,240 tokens on a rank
// of its TP pair: hidden 512, 16 heads x 32, 16 experts all active, expert width 38,016, two bytes
// per element. TP 2, EP 2: the rank has 8 heads, and half the columns (19,008) of 8 experts; the
// experts see the tokens of two replicas with s prompts each.
double layer_seconds(double s) {
  const double t = s * 10240;
  const double copies =
      2 * t * 16 /
      2;  // (token, expert) pairs that arrive: 2 replicas, 16 experts each, over 2 ranks
  const double row = 512 * 2;  // bytes of a token
  // Residual addition and normalisation: reads two rows, writes two, and the weights.
  const double norm = roofline(0, 4 * t * row + 512 * 2);
  // Q, K and V of 8 heads: 512 -> 768.
  const double qkv = roofline(2 * t * 512 * 768, 512 * 768 * 2 + t * 512 * 2 + t * 768 * 2);
  // Causal attention: 4 x 32 x 8 FLOPs per (query, key) pair, 10240 x 10241 / 2 pairs per prompt.
  // Reads Q, K, V; writes the output and the KV cache.
  const double attention =
      roofline(4.0 * 256 * s * 10240 * 10241 / 2, t * 768 * 2 + t * 256 * 2 + t * 512 * 2);
  const double out_proj = roofline(2 * t * 256 * 512, 256 * 512 * 2 + t * 256 * 2 + t * 512 * 2);
  // Ring all-reduce of two: 2 x (n - 1) rounds of 1/n of the buffer = the buffer once.
  const double all_reduce = t * row / kLink;
  const double router = roofline(2 * t * 512 * 16, 512 * 16 * 2 + t * 512 * 2 + t * 16 * 2);
  const double permute = roofline(0, t * row + t * 16 * row);
  // All-to-all of two: half of the 16 copies of each token go to the other rank.
  const double dispatch = t * 16 * row / 2 / kLink;
  const double weights = 8.0 * 512 * 19008 * 2;
  const double expert = roofline(2 * copies * 512 * 19008,
                                 weights + copies * 512 * 2 + copies * 19008 * 2);  // up, and down
  const double combine = permute;
  return 2 * norm + qkv + attention + out_proj + 2 * all_reduce + router + permute + 2 * dispatch +
         2 * expert + combine;
}

double embedding_seconds(double s) {
  const double t = s * 10240;
  // Each TP rank reads its half of the rows and writes all; then an all-reduce.
  return roofline(0, t / 2 * 512 * 2 + t * 512 * 2) + t * 512 * 2 / kLink;
}

// Last tokens only: final norm, LM head over half the vocabulary of 32,000, all-gather of the
// halves, sampling.
double head_seconds(double s) {
  const double norm = roofline(0, 4 * s * 512 * 2 + 512 * 2);
  const double head =
      roofline(2 * s * 512 * 16000, 512.0 * 16000 * 2 + s * 512 * 2 + s * 16000 * 2);
  const double gather = s * 16000 * 2 / kLink;
  const double sampling = roofline(0, s * 32000 * 2 + s * 4);
  return norm + head + gather + sampling;
}

double send_seconds(double s) { return s * 10240 * 512 * 2 / kLink; }

// One micro-batch through both stages of 8 layers: nothing overlaps.
double one_micro_batch_seconds(double s) {
  return embedding_seconds(s) + 8 * layer_seconds(s) + send_seconds(s) + 8 * layer_seconds(s) +
         head_seconds(s);
}

void expect_relative(double found, double expected, double tolerance) {
  EXPECT_NEAR(found / expected, 1.0, tolerance) << found << " against " << expected;
}

TEST(Ttft, WithOneMicroBatchEqualsTheClosedForm) {
  // 128 requests over DP 3 x EP 2 = 6 replicas: two have 22, four have 21. Both replicas of an
  // expert group have as many.
  const Metrics metrics = simulate_plan({"batch.micro_batches=1"});
  expect_relative(metrics.ttft_s.max, one_micro_batch_seconds(22), 1e-6);
  expect_relative(metrics.ttft_s.p50, one_micro_batch_seconds(21), 1e-6);
  const double mean = (44 * one_micro_batch_seconds(22) + 84 * one_micro_batch_seconds(21)) / 128;
  expect_relative(metrics.ttft_s.mean, mean, 1e-6);
}

TEST(Ttft, WithTheClosedFormInEveryNetworkLevel) {
  // Nothing contends on this platform, so the levels have to agree. (One simulation per process:
  // the exact level here, the fluid one above; the analytic one below.)
  const Metrics metrics = simulate_plan({"batch.micro_batches=1", "network=exact"});
  expect_relative(metrics.ttft_s.max, one_micro_batch_seconds(22), 1e-6);
}

TEST(Ttft, WithTheClosedFormInTheAnalyticLevel) {
  const Metrics metrics = simulate_plan({"batch.micro_batches=1", "network=analytic"});
  expect_relative(metrics.ttft_s.max, one_micro_batch_seconds(22), 1e-6);
}

TEST(Ttft, WithThePipelineFilledIsWithinOnePercentOfTheClosedForm) {
  // 22 micro-batches of one request over 2 stages: 22 + 2 - 1 times the slower stage, which is the
  // first (the embedding costs more than the head). What is not in this form: the first stage is
  // not slower at its end.
  const Metrics metrics = simulate_plan({"batch.micro_batches=22"});
  const double stage = embedding_seconds(1) + 8 * layer_seconds(1);
  expect_relative(metrics.ttft_s.max, 23 * stage, 0.01);
}

// Two ranks with two chunks of 4 layers each. The first has 22 x (an embedding and 8 layers) to
// compute; then the last prompt goes through the second rank's second chunk: 4 layers, where
// without interleaving it would be 8. In each of 11 groups of two prompts the first rank may have
// to wait for one that makes its way over the second and back: two messages, less than an
// embedding.
TEST(Ttft, OfAnInterleavedPipelineIsThatOfTheClosedForm) {
  ASSERT_LT(2 * send_seconds(1), embedding_seconds(1));
  ASSERT_LT(head_seconds(1), embedding_seconds(1));  // the second rank is never behind
  const Metrics metrics =
      simulate_plan({"batch.micro_batches=22", "batch.output_tokens=1", "layout.virtual_stages=2"});
  const double at_least = 22 * (embedding_seconds(1) + 8 * layer_seconds(1)) + send_seconds(1) +
                          4 * layer_seconds(1) + head_seconds(1);
  EXPECT_GE(metrics.ttft_s.max, at_least * (1 - 1e-6));
  EXPECT_LE(metrics.ttft_s.max, (at_least + 11 * 2 * send_seconds(1)) * (1 + 1e-6));
}

TEST(Ttft, IsNotBelowAnyLowerBound) {
  const Metrics metrics = simulate_plan({"batch.output_tokens=1"});
  // Compute: 2 FLOPs per parameter of the matrices that every prompt token meets, on 24 GPUs.
  const double matrices = 16.0 * (4 * 512 * 512 + 512 * 16 + 16.0 * 2 * 512 * 38016);
  EXPECT_GE(metrics.ttft_s.max, 128.0 * 10240 * 2 * matrices / (24 * kFlops));
  // Memory: the busiest rank reads its expert weights once per micro-batch and layer.
  EXPECT_GE(metrics.ttft_s.max, 22 * 8 * 8.0 * 2 * 512 * 19008 * 2 / kMemory);
  // Busiest link: what a rank of the 22-request replicas sends to its expert peer.
  EXPECT_GE(metrics.ttft_s.max, 22 * 8 * 2 * (10240.0 * 16 * 512 * 2 / 2) / kLink);
  // And the compute bound is nearly reached: 23 slots for 22 micro-batches, 22 requests where the
  // mean is 21.33.
  EXPECT_LE(metrics.ttft_s.max,
            1.15 * 23 / 22 * 22 / (128.0 / 6) * 128.0 * 10240 * 2 * matrices / (24 * kFlops));
}

// The as-bought platform with every rate doubled and every fixed time halved.
std::string twice_as_fast(const std::string& platform) {
  std::ifstream file(platform);
  std::ostringstream text;
  text << file.rdbuf();
  std::string result;
  // Numbers directly before one of these units are scaled; efficiencies and sizes are left alone.
  const std::vector<std::pair<std::string, double>> units = {
      {"Tf", 2}, {"GBps", 2}, {"TBps", 2}, {"us", 0.5}, {"ns", 0.5}};
  const std::string source = text.str();
  for (std::size_t at = 0; at < source.size();) {
    const std::size_t end = source.find_first_not_of("0123456789.", at);
    if (end == at || end == std::string::npos || at == 0 || source[at - 1] != '"') {
      result += source[at++];
      continue;
    }
    const std::size_t quote = source.find('"', end);
    const std::string unit = source.substr(end, quote - end);
    const auto known = std::find_if(units.begin(), units.end(),
                                    [&](const auto& entry) { return entry.first == unit; });
    const std::string number = source.substr(at, end - at);
    char scaled[64];
    std::snprintf(scaled, sizeof scaled, "%.17g",
                  std::stod(number) * (known == units.end() ? 1 : known->second));
    result += known == units.end() ? number : std::string(scaled);
    at = end;
  }
  return result;
}

// Simulates in a child process and returns what came out.
std::vector<double> times_in_child(const std::string& platform) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const Metrics m = simulate_plan({"batch.output_tokens=9"}, platform);
    const double times[] = {m.makespan_s, m.ttft_s.mean, m.ttft_s.max, m.tpot_s->mean,
                            m.tpot_s->max};
    const bool sent = write(ends[1], times, sizeof times) == static_cast<ssize_t>(sizeof times);
    _exit(sent ? 0 : 1);
  }
  close(ends[1]);
  std::vector<double> times(5, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(read(ends[0], times.data(), 5 * sizeof(double)),
            static_cast<ssize_t>(5 * sizeof(double)));
  close(ends[0]);
  return times;
}

TEST(Rates, DoublingEveryRateHalvesEveryTime) {
  const std::string slow = kSource + "/platforms/plan-24gpu-nvlink.xml";
  const std::string fast =
      testing::TempDir() + "twice-as-fast-" + std::to_string(getpid()) + ".xml";
  std::ofstream(fast) << twice_as_fast(slow);
  const std::vector<double> before = times_in_child(slow);
  const std::vector<double> after = times_in_child(fast);
  for (std::size_t at = 0; at < before.size(); ++at) {
    EXPECT_NEAR(after[at] / before[at], 0.5, 1e-9) << "time " << at;
  }
  std::filesystem::remove(fast);
}

}  // namespace
}  // namespace rehearse
