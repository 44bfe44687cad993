// Drafts by a model's own prediction: what their passes take, what they keep in memory, and what
// they gain or lose. Expected numbers are written out from the dimensions.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "cluster_xml/xml_text.hpp"
#include "graph/small_models.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "service/engine_of_plan.hpp"
#include "service/kv_shares.hpp"
#include "service/pass_price.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

constexpr SmallLink kNic = {1e9, 1e-6};

// hidden 8, vocabulary 10, of one layer that is like the model's; with experts, 4 of width 6.
Model predicting(bool experts, int layers = 2) {
  Model model = experts ? small_moe_model(layers) : small_dense_model(layers);
  model.weight_dtype = model.activation_dtype = model.kv_dtype = Dtype::kBf16;
  model.prediction = TokenPrediction{1, {model.kind_of(layers - 1)}, true, true, true};
  return model;
}

Plan serving_plan(int drafts, std::vector<double> acceptance) {
  Plan plan;
  plan.library.library = "textbook";
  Serve& serve = plan.serve.emplace();
  serve.engine.name = "vllm";
  serve.engine.cuda_graphs = false;
  serve.engine.asynchronous = false;
  serve.engine.prefix_cache = false;
  serve.engine.max_tokens_per_pass = 128;
  serve.engine.max_sequences = 16;
  if (drafts > 0) serve.engine.speculative = SpeculativeChoice{drafts, std::move(acceptance)};
  serve.requests = {{Seconds{0}, 20, 40}, {Seconds{0}, 30, 40}};
  return plan;
}

// Seconds of steps of these slices {tokens, context} in the last stage; `verify`: all tokens but
// the first of each are drafts.
double price(const Plan& plan, const Model& model, const std::vector<std::pair<int, int>>& slices,
             const SmallGpu& gpu, bool verify = false) {
  return in_child([&] {
           const TemporaryXml file(star(plan.layout.gpus(), kNic, gpu));
           Cluster cluster = load_cluster(file.path());
           PassPrice passes(plan, model, cluster, {0});
           serving::Batch batch;
           for (const auto& [tokens, context] : slices) {
             batch.push_back({0, tokens, context, verify ? tokens - 1 : 0});
           }
           const std::vector<serving::StepShape> ranks(plan.layout.expert,
                                                       serving::shape_of(batch));
           return std::vector<double>{
               static_cast<double>(passes.of(ranks, plan.layout.pipeline - 1)) * 1e-12};
         })
      .front();
}

// What a pass of the small dense model's prediction computes: the projection of 16 x 8, QKV of
// 8 x (8 + 4 + 4), the output of 8 x 8, an FFN of 2 x 8 x 16 for each token; 4 heads x 2 dimensions
// x 2 products of each with the keys before it; the head of 8 x 10 for each sequence.
double flops_of_draft(double tokens, double pairs, double sequences) {
  const double of_token = 2.0 * (16 * 8 + 8 * 16 + 8 * 8 + 2 * 8 * 16);
  return tokens * of_token + pairs * 2.0 * 2 * 4 * 2 + sequences * 2.0 * 8 * 10;
}

TEST(Drafts, ComputeTheFlopsOfTheirPasses) {
  // Memory that nobody waits for: the time is FLOPs over the peak of 1e6.
  const SmallGpu gpu = {.flops_per_second = 1e6, .memory_bandwidth = 1e15};
  const Model model = predicting(false);
  // Two sequences that verify 3 drafts each, behind 10 and 30 tokens.
  const std::vector<std::pair<int, int>> step = {{4, 10}, {4, 30}};
  const double without = price(serving_plan(0, {}), model, step, gpu, true);
  const auto pairs = [](double tokens, double context) {
    return tokens * context + tokens * (tokens + 1) / 2;
  };
  // The first pass has the step's 8 tokens; then one for each sequence, behind 14 and 34 tokens,
  // and then behind 15 and 35; each sees itself.
  const double first = flops_of_draft(8, pairs(4, 10) + pairs(4, 30), 2);
  const double second = flops_of_draft(2, 15 + 35, 2);
  const double third = flops_of_draft(2, 16 + 36, 2);
  const std::vector<double> drafts = {first, second, third};
  double expected = 0;
  for (int count = 1; count <= 3; ++count) {
    expected += drafts[count - 1] / 1e6;
    const double with = price(serving_plan(count, {0.5}), model, step, gpu, true);
    EXPECT_NEAR(with - without, expected, 1e-6 * expected) << count;
  }
}

TEST(Drafts, ReadTheBytesOfTheirPasses) {
  // FLOPs that nobody waits for: the time is bytes over 1e6 B/s.
  const SmallGpu gpu = {.flops_per_second = 1e15, .memory_bandwidth = 1e6};
  const Model model = predicting(false);
  constexpr double kElement = 2;
  constexpr double kHidden = 8;
  // One token of one sequence behind 9: by operator, in elements. A norm reads and writes the
  // residual and its output and has 8 weights; there are 5: of the embedding, of what the model
  // gave, before attention, before the FFN, before the head.
  const double embedding = kHidden + kHidden;
  const double norms = 5 * (4 * kHidden + kHidden);
  const double projection = 16 * 8 + 16 + 8;
  const double qkv = 8 * 16 + 8 + 16;
  // Reads K and V of 9 tokens, 2 heads of 2, and Q, K and V of the new one, of which it keeps K and
  // V, and writes its output.
  const double attention = 9 * 8 + 16 + 8 + 8;
  const double output = 8 * 8 + 8 + 8;
  const double ffn = 2 * 8 * 16 + 8 + 16 + 16 + 8;
  const double head = 8 * 10 + 8 + 10;
  const double sampling = 10;
  const double all =
      (embedding + norms + projection + qkv + attention + output + ffn + head + sampling) *
          kElement +
      4;
  const double drafts = price(serving_plan(1, {0.5}), model, {{1, 9}}, gpu) -
                        price(serving_plan(0, {}), model, {{1, 9}}, gpu);
  EXPECT_NEAR(drafts * 1e6, all, 1e-5);
}

TEST(Drafts, OfAPipelineAreInItsLastStage) {
  const SmallGpu gpu = {.kernel_launch = 1e-6};
  const Model model = predicting(false);
  Plan with = serving_plan(2, {0.5});
  Plan without = serving_plan(0, {});
  const std::vector<std::pair<int, int>> step = {{3, 10}, {3, 30}};
  const double of_one_stage = price(with, model, step, gpu) - price(without, model, step, gpu);
  with.layout.pipeline = without.layout.pipeline = 2;
  EXPECT_NEAR(price(with, model, step, gpu) - price(without, model, step, gpu), of_one_stage,
              1e-12 + 1e-9 * of_one_stage);
  const auto first_stage = [&](const Plan& plan) {
    return in_child([&] {
      const TemporaryXml file(star(2, kNic, gpu));
      Cluster cluster = load_cluster(file.path());
      PassPrice passes(plan, model, cluster, {0});
      const serving::Batch batch = {{0, 3, 10}, {1, 3, 30}};
      const std::vector<serving::StepShape> ranks = {serving::shape_of(batch)};
      return std::vector<double>{static_cast<double>(passes.of(ranks, 0))};
    });
  };
  EXPECT_EQ(first_stage(with), first_stage(without));
}

// The prediction's layer is like the model's: a pass of it is one of a model of that layer alone
// with a projection and two norms before it, on ranks that share experts and tensor ranks too.
TEST(Drafts, TakeWhatAModelOfTheirLayerTakes) {
  const SmallGpu gpu = {.kernel_launch = 1e-6};
  for (const bool experts : {false, true}) {
    const Model model = predicting(experts);
    Model alone = model;
    alone.layers = 1;
    alone.prediction.reset();
    for (const int tensor : {1, 2}) {
      Plan with = serving_plan(1, {0.5});
      Plan without = serving_plan(0, {});
      with.layout.tensor = without.layout.tensor = tensor;
      if (experts) with.layout.expert = without.layout.expert = 2;
      const std::vector<std::pair<int, int>> step = {{2, 10}, {2, 30}};
      const double drafts = price(with, model, step, gpu) - price(without, model, step, gpu);
      // 4 tokens: 16 x 8 weights, 16 in, 8 out; a norm moves 4 x 8 a token and has 8 weights.
      const auto took = [](double flops, double bytes) {
        return 1e-6 + std::max(flops, bytes) / 1e12;
      };
      const double before = took(2.0 * 4 * 16 * 8, 2 * (16 * 8 + 4 * 16.0 + 4 * 8)) +
                            2 * took(0, 2 * (4 * 4 * 8.0 + 8));
      EXPECT_NEAR(drafts, price(without, alone, step, gpu) + before, 4e-12 + 1e-9 * drafts)
          << experts << " " << tensor;
    }
  }
}

// Drafts are verified as a decode step would compute them, but for keys and values, which are read
// once; each is scored.
TEST(Drafts, AreVerifiedTogether) {
  const Model model = predicting(false);
  const Plan plan = serving_plan(0, {});
  const SmallGpu slow = {.flops_per_second = 1e6, .memory_bandwidth = 1e15};
  // In FLOPs, those of 3 sequences behind 10, 11 and 12 tokens.
  const double together = price(plan, model, {{3, 10}}, slow, true);
  const double apart = price(plan, model, {{1, 10}, {1, 11}, {1, 12}}, slow);
  EXPECT_NEAR(together, apart, 1e-9 * apart);
  // In bytes, less by two reads of what 2 layers keep of 10 tokens (2 heads x 2 x K and V), and by
  // those of the tokens before them that are read where they were projected.
  const SmallGpu narrow = {.flops_per_second = 1e15, .memory_bandwidth = 1e6};
  const double saved = 2 * 8 * 2 * (11 + 12) / 1e6;
  EXPECT_NEAR(price(plan, model, {{3, 10}}, narrow, true),
              price(plan, model, {{1, 10}, {1, 11}, {1, 12}}, narrow) - saved, 1e-9);
}

// A latent is not expanded for them: by the projections of 3 decodes, and no more.
TEST(Drafts, AreVerifiedInTheLatent) {
  Model model = small_dense_model(2);
  model.weight_dtype = model.activation_dtype = model.kv_dtype = Dtype::kBf16;
  Attention latent;
  latent.heads = 4;
  latent.kind = Latent{.query_rank = 0, .kv_rank = 4, .nope_dim = 2, .rope_dim = 2, .value_dim = 2};
  model.attention = {latent};
  const SmallGpu slow = {.flops_per_second = 1e6, .memory_bandwidth = 1e15};
  const Plan plan = serving_plan(0, {});
  const double apart = price(plan, model, {{1, 1000}, {1, 1001}, {1, 1002}}, slow);
  EXPECT_NEAR(price(plan, model, {{3, 1000}}, slow, true), apart, 1e-9 * apart);
  EXPECT_NE(price(plan, model, {{3, 1000}}, slow, false), apart);
}

PlannedEngine planned(const Plan& plan, const Model& model) {
  Platform platform;
  Device device;
  device.memory = Bytes{1e6};
  platform.devices = {device};
  for (int gpu = 0; gpu < plan.layout.gpus(); ++gpu) {
    platform.gpus.push_back({"g" + std::to_string(gpu), 0, -1, ""});
  }
  return engine_of(plan, plan.serve->engine, model, platform, "serve.engine");
}

TEST(Drafts, TakeMemoryOfWeightsAndOfKeysAndValues) {
  const Model model = predicting(false);
  const PlannedEngine without = planned(serving_plan(0, {}), model);
  const PlannedEngine with = planned(serving_plan(3, {0.7}), model);
  // The projection with 3 norms, and a layer: QKV, output, FFN, 2 norms; of 2 bytes each.
  const double layer = 8 * 16 + 8 * 8 + 2 * 8 * 16 + 2 * 8;
  const double prediction = 2.0 * (16 * 8 + 3 * 8 + layer);
  EXPECT_DOUBLE_EQ(with.room.prediction.value, prediction);
  EXPECT_DOUBLE_EQ(with.room.weights.value - without.room.weights.value, prediction);
  EXPECT_EQ(without.room.prediction.value, 0);
  // Keys and values of 3 layers instead of 2: 2 heads x 2 x K and V x 2 bytes, 16 tokens a block.
  EXPECT_DOUBLE_EQ(without.room.block.value, 2 * 16 * 16.0);
  EXPECT_DOUBLE_EQ(with.room.block.value, 3 * 16 * 16.0);
  // vLLM's null block is none of them.
  EXPECT_EQ(with.settings.kv_blocks,
            static_cast<int>(with.room.left.value / with.room.block.value) - 1);
  EXPECT_LT(with.settings.kv_blocks, without.settings.kv_blocks);
  // By a lookup they take none.
  Plan looked_up = serving_plan(3, {0.7});
  looked_up.serve->engine.speculative->looked_up = true;
  EXPECT_EQ(planned(looked_up, model).settings.kv_blocks, without.settings.kv_blocks);
}

TEST(Drafts, ExpertsOfThePredictionAreSharedOut) {
  const Model model = predicting(true);
  Plan plan = serving_plan(1, {0.7});
  plan.layout.expert = 2;
  // 2 of 4 experts of 3 x 8 x 6, the router of 4 x 8.
  const double layer = 8 * 16 + 8 * 8 + 4 * 8 + 2 * 3 * 8 * 6 + 2 * 8;
  EXPECT_DOUBLE_EQ(planned(plan, model).room.prediction.value, 2.0 * (16 * 8 + 3 * 8 + layer));
  // On a last stage that is not the first the embedding is there once more.
  plan.layout.expert = 1;
  plan.layout.pipeline = 2;
  plan.memory_fraction = 0.9;
  const double whole = 8 * 16 + 8 * 8 + 4 * 8 + 4 * 3 * 8 * 6 + 2 * 8;
  EXPECT_DOUBLE_EQ(planned(plan, model).room.prediction.value,
                   2.0 * (16 * 8 + 3 * 8 + whole + 10 * 8));
}

TEST(Drafts, TheirKeysAndValuesGoFromLastStageToLastStage) {
  const Model model = predicting(false);
  Layout prefill;
  prefill.pipeline = 2;
  const std::vector<KvShare> shares = kv_shares(model, prefill, {}, true);
  ASSERT_EQ(shares.size(), 2U);
  EXPECT_EQ(shares[0].from.stage, 0);
  EXPECT_EQ(shares[1].from.stage, 1);
  EXPECT_DOUBLE_EQ(shares[1].cache.token.value, 2 * shares[0].cache.token.value);
}

double makespan(Plan plan, const Model& model) {
  plan.serve->engine.kv_blocks = 100;
  return in_child([&] {
           const TemporaryXml file(star(1, kNic, {.kernel_launch = 1e-6}));
           plan.platform_path = file.path();
           SimulationOptions options;
           options.memory_limit = Bytes{1e12};
           return std::vector<double>{simulate(plan, model, options).metrics.makespan_s};
         })
      .front();
}

TEST(Drafts, ThatNobodyAcceptsMakeAServiceSlower) {
  for (const bool experts : {false, true}) {
    const Model model = predicting(experts, 4);
    const double none = makespan(serving_plan(0, {}), model);
    double before = none;
    for (const int drafts : {1, 2, 4}) {
      const double takes = makespan(serving_plan(drafts, {0}), model);
      EXPECT_GT(takes, before) << drafts;
      before = takes;
    }
    // What an accepted one saves is a pass of 4 layers, for one of 1.
    EXPECT_LT(makespan(serving_plan(1, {1}), model), none);
    // A lookup that is as good is quicker, by what drafting takes.
    Plan looked_up = serving_plan(1, {1});
    looked_up.serve->engine.speculative->looked_up = true;
    EXPECT_LT(makespan(looked_up, model), makespan(serving_plan(1, {1}), model));
  }
}

TEST(Drafts, AcceptedByPositionAreFewerThanWithTheFirstOnesOdds) {
  const Model model = predicting(false, 4);
  const double constant = makespan(serving_plan(3, {0.9}), model);
  EXPECT_EQ(makespan(serving_plan(3, {0.9, 0.9, 0.9}), model), constant);
  EXPECT_GT(makespan(serving_plan(3, {0.9, 0.3, 0.1}), model), constant);
}

TEST(Drafts, AMethodThatTheModelDoesNotHaveIsRefused) {
  Plan plan = serving_plan(2, {0.5});
  plan.serve->engine.speculative->looked_up = false;
  Model model = predicting(false);
  EXPECT_NO_THROW(planned(plan, model));
  model.prediction.reset();
  try {
    planned(plan, model);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what())
                  .find("serve.engine.speculative.method = \"mtp\": the model small-dense has no "
                        "layers that predict further tokens"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace rehearse
