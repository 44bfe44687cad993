// Plans whose prompts and outputs are computed apart, simulated whole: times of one request alone
// are those of its passes and its transfer; and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "cluster_xml/xml_text.hpp"
#include "graph/small_models.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "service/kv_flows.hpp"
#include "service/pools_of_plan.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

constexpr SmallLink kNic = {1e9, 1e-6};
constexpr int kPrompt = 100;
constexpr int kOutput = 2;

Request asks(double arrival, int prompt, int output) { return {{arrival}, prompt, output}; }

ServingPool pool_of(int tensor, int replicas) {
  ServingPool pool;
  pool.layout.tensor = tensor;
  pool.replicas = replicas;
  pool.engine.name = "vllm";
  pool.engine.cuda_graphs = false;
  pool.engine.kv_blocks = 100;
  return pool;
}

// A prefill replica of 2 GPUs, two decode replicas of 1.
Plan plan_of(KvTransfer transfer, std::vector<Request> requests) {
  Plan plan;
  plan.library.library = "textbook";
  Serve& serve = plan.serve.emplace();
  serve.engine.name = "vllm";
  serve.requests = std::move(requests);
  serve.pools.emplace();
  serve.pools->prefill = pool_of(2, 1);
  serve.pools->decode = pool_of(1, 2);
  serve.pools->transfer = transfer;
  plan.layout = serve.pools->prefill.layout;
  return plan;
}

Model model_of() {
  Model model = small_dense_model(2);
  model.weight_dtype = model.activation_dtype = Dtype::kBf16;
  return model;
}

Simulation simulated(Plan plan, const Model& model, int gpus) {
  const TemporaryXml file(star(gpus, kNic, {.kernel_launch = 1e-6}));
  plan.platform_path = file.path();
  SimulationOptions options;
  options.memory_limit = Bytes{1e12};
  return simulate(plan, model, options);
}

// What `told` says of the run.
std::vector<double> told(const Plan& plan,
                         const std::function<std::vector<double>(const Metrics&)>& told) {
  return in_child([&] { return told(simulated(plan, model_of(), 4).metrics); });
}

// Seconds: the prefill's pass, the decode step behind `context` tokens, and the transfer.
struct Parts {
  double prefill = 0;
  double transfer = 0;
  double decode = 0;
};

Parts parts_of(const Plan& plan, int context) {
  const std::vector<double> seconds = in_child([&] {
    const TemporaryXml file(star(4, kNic, {.kernel_launch = 1e-6}));
    const Model model = model_of();
    Cluster cluster = load_cluster(file.path());
    const PoolsOfPlan pools = pools_of(plan);
    const auto price = [&](const PoolOfPlan& pool, const serving::Slice& slice) {
      PassPrice passes(pool.plan, model, cluster, {pool.first_gpu});
      const serving::Batch batch = {slice};
      const std::vector<serving::StepShape> ranks = {serving::shape_of(batch)};
      return static_cast<double>(passes.of(ranks, 0)) * 1e-12;
    };
    serving::Slice prompt;
    prompt.tokens = kPrompt;
    serving::Slice decode;
    decode.tokens = 1;
    decode.context = context;
    // 2 layers x 1 head x 2 x 2 x 2 bytes from each of two ranks into the NIC of one.
    const double bytes = 2 * 2 * 8.0 * kPrompt;
    return std::vector<double>{price(pools.prefill, prompt), 2e-6 + bytes / (0.94 * 1e9),
                               price(pools.decode, decode)};
  });
  return {seconds[0], seconds[1], seconds[2]};
}

void expect_seconds(double is, double expected) {
  EXPECT_NEAR(is, expected, 1e-9 * expected + 4e-12);  // dates are whole picoseconds
}

TEST(ServicePools, PulledTheFirstTokenComesBehindTransferAndAStep) {
  const Plan plan = plan_of(KvTransfer::kPull, {asks(0, kPrompt, kOutput)});
  const std::vector<double> times = told(plan, [](const Metrics& metrics) {
    const Serving& serving = *metrics.serving;
    return std::vector<double>{serving.ttft_s->mean,
                               serving.tpot_s->mean,
                               serving.itl_s->mean,
                               serving.kv_transfer->time_s.mean,
                               serving.kv_transfer->bytes,
                               static_cast<double>(serving.kv_transfer->requests),
                               static_cast<double>(metrics.ranks),
                               serving.window_s * serving.output_tokens_per_s,
                               serving.mean_batch};
  });
  const Parts first = parts_of(plan, kPrompt - 1);
  const Parts second = parts_of(plan, kPrompt);
  expect_seconds(times[0], first.prefill + first.transfer + first.decode);
  expect_seconds(times[1], second.decode);
  expect_seconds(times[2], second.decode);
  expect_seconds(times[3], first.transfer);
  EXPECT_EQ(times[4], 32.0 * kPrompt);
  EXPECT_EQ(times[5], 1);
  EXPECT_EQ(times[6], 4);
  EXPECT_NEAR(times[7], kOutput, 1e-9);
  EXPECT_EQ(times[8], 1);
}

TEST(ServicePools, PushedTheFirstTokenIsThePrefillsAndCounts) {
  const Plan plan = plan_of(KvTransfer::kPush, {asks(0, kPrompt, kOutput)});
  const std::vector<double> times = told(plan, [](const Metrics& metrics) {
    const Serving& serving = *metrics.serving;
    return std::vector<double>{serving.ttft_s->mean, serving.tpot_s->mean, serving.itl_s->mean,
                               serving.window_s * serving.output_tokens_per_s};
  });
  const Parts parts = parts_of(plan, kPrompt);
  expect_seconds(times[0], parts.prefill);
  expect_seconds(times[1], parts.transfer + parts.decode);
  expect_seconds(times[2], parts.transfer + parts.decode);
  EXPECT_NEAR(times[3], kOutput, 1e-9);
}

TEST(ServicePools, WhereOnlyFirstTokensAreWantedNobodyDecodes) {
  const Plan plan = plan_of(KvTransfer::kPush, {asks(0, kPrompt, 1), asks(1, kPrompt, 1)});
  const std::vector<double> times = told(plan, [](const Metrics& metrics) {
    return std::vector<double>{metrics.serving->ttft_s->mean, metrics.serving->mean_batch};
  });
  expect_seconds(times[0], parts_of(plan, kPrompt).prefill);
  EXPECT_EQ(times[1], 0);
}

TEST(ServicePools, TwoTransfersOfOnePrefillReplicaShareItsNics) {
  // Two prompts in one pass of the prefill replica, one to each decode replica: each of its NICs
  // carries half of both, each of theirs all of one.
  const Plan plan =
      plan_of(KvTransfer::kPull, {asks(0, kPrompt, kOutput), asks(0, kPrompt, kOutput)});
  const std::vector<double> times = told(plan, [](const Metrics& metrics) {
    return std::vector<double>{metrics.serving->kv_transfer->time_s.mean};
  });
  expect_seconds(times[0], parts_of(plan, kPrompt).transfer);
}

TEST(ServicePools, SharesOfTimeAreThoseOfAllGpus) {
  const Plan plan = plan_of(KvTransfer::kPull, {asks(0, kPrompt, kOutput)});
  const std::vector<double> shares = told(plan, [](const Metrics& metrics) {
    return std::vector<double>{metrics.makespan_s,
                               metrics.compute_busy_fraction + metrics.exposed_fraction,
                               metrics.no_work_fraction};
  });
  // The prefill has 2 of 4 GPUs, the two steps one of them.
  const Parts first = parts_of(plan, kPrompt - 1);
  const Parts second = parts_of(plan, kPrompt);
  const double busy = 2 * first.prefill + first.decode + second.decode;
  EXPECT_NEAR(shares[1], busy / (4 * shares[0]), 1e-6);
  EXPECT_NEAR(shares[1] + shares[2], 1, 1e-12);
}

TEST(ServicePools, MemoryIsThatOfThePoolThatFillsMore) {
  Plan plan = plan_of(KvTransfer::kPull, {asks(0, kPrompt, kOutput)});
  const auto weights = [&] {
    return told(plan, [](const Metrics& metrics) {
      const MemoryPeak& memory = metrics.memory;
      return std::vector<double>{memory.bytes[static_cast<int>(MemoryCategory::kWeights)],
                                 memory.peak_bytes};
    });
  };
  // Of the decode replica, which has all weights on one GPU; fewer tokens in a step, though.
  plan.serve->pools->prefill.engine.max_tokens_per_pass = 128;
  plan.serve->pools->decode.engine.max_tokens_per_pass = 128;
  plan.serve->pools->decode.engine.max_sequences = 128;
  plan.serve->pools->prefill.engine.max_sequences = 128;
  const double of_decode = weights()[0];
  plan.serve->pools->prefill.engine.max_tokens_per_pass = 100'000;
  const double of_prefill = weights()[0];
  EXPECT_GT(of_decode, of_prefill);
}

std::string refusal_of(const Plan& plan, int gpus = 4) {
  std::string text;
  try {
    in_child([&] {
      simulated(plan, model_of(), gpus);
      return std::vector<double>{};
    });
  } catch (const std::runtime_error& error) {
    text = error.what();
  }
  return text;
}

void expect_refusal(const Plan& plan, const std::string& words, int gpus = 4) {
  const std::string refusal = refusal_of(plan, gpus);
  EXPECT_NE(refusal.find(words), std::string::npos) << refusal;
}

TEST(ServicePools, LargerThanTheClusterAreRefusedWithTheNumbers) {
  expect_refusal(plan_of(KvTransfer::kPull, {asks(0, kPrompt, kOutput)}),
                 "serve.pools: 1 prefill replicas of 2 GPUs and 2 decode replicas of 1 need 4 "
                 "GPUs, the platform",
                 3);
}

TEST(ServicePools, EachPoolsLayoutIsCheckedByItsName) {
  Plan plan = plan_of(KvTransfer::kPull, {asks(0, kPrompt, kOutput)});
  plan.serve->pools->decode.layout.tensor = 3;
  expect_refusal(plan, "serve.pools.decode.layout.tensor = 3 ");
  plan = plan_of(KvTransfer::kPull, {asks(0, kPrompt, kOutput)});
  plan.serve->pools->prefill.layout.pipeline = 3;
  expect_refusal(plan, "serve.pools.prefill.layout.pipeline = 3 exceeds the model's 2 layers");
  plan = plan_of(KvTransfer::kPull, {asks(0, kPrompt, kOutput)});
  plan.serve->pools->decode.layout.pipeline = 1;
  plan.serve->pools->decode.layout.virtual_stages = 2;
  expect_refusal(plan,
                 "serve.pools.decode.layout.virtual_stages = 2 needs a pipeline of several ranks, "
                 "serve.pools.decode.layout.pipeline = 1");
  plan.serve->pools->decode.layout.pipeline = 2;
  Model four = model_of();
  four.layers = 4;
  EXPECT_THROW(in_child([&] {
                 simulated(plan, four, 8);
                 return std::vector<double>{};
               }),
               std::runtime_error);
}

TEST(ServicePools, EnginesThatNobodyRunsApartAreRefused) {
  Plan plan = plan_of(KvTransfer::kPull, {asks(0, kPrompt, kOutput)});
  plan.serve->pools->prefill.engine.name = plan.serve->pools->decode.engine.name = "tensorrt_llm";
  expect_refusal(plan, "serve.pools: prefill and decode apart are not modelled for tensorrt_llm");
}

TEST(ServicePools, RequestsLargerThanAPoolsKeysAndValuesAreRefused) {
  // 6 blocks of 16: 96 tokens.
  Plan plan = plan_of(KvTransfer::kPull, {asks(0, 97, 1)});
  plan.serve->pools->prefill.engine.kv_blocks = 6;
  expect_refusal(plan,
                 "request 0 has 97 tokens (prompt), a prefill replica's pool of keys and "
                 "values 96 (6 blocks of 16): serve.pools.prefill.engine.max_model_len");
  plan = plan_of(KvTransfer::kPull, {asks(0, 90, 2), asks(0, 90, 8)});
  plan.serve->pools->decode.engine.kv_blocks = 6;
  expect_refusal(plan,
                 "request 1 has 98 tokens (prompt and output), a decode replica's pool of "
                 "keys and values 96 (6 blocks of 16): serve.pools.decode.engine");
  plan.serve->pools->decode.engine.max_model_len = 97;
  EXPECT_EQ(told(plan,
                 [](const Metrics& metrics) {
                   return std::vector<double>{static_cast<double>(metrics.serving->refused)};
                 })[0],
            1);
}

}  // namespace
}  // namespace rehearse
