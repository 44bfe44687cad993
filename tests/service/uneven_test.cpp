// Steps of engines whose experts are not loaded evenly: the replay's times where the loads are the
// same, those of even experts where the law is even, and slower with a hotter expert.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "cluster_xml/xml_text.hpp"
#include "graph/small_models.hpp"
#include "property/random_plans.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "service/pass_price.hpp"
#include "service/whole_run.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 24;
constexpr SmallLink kNic = {1e9, 1e-6};

void add_shares(Plan& plan, int layer, const std::vector<double>& shares) {
  plan.routing.table_path = "written here";
  for (int expert = 0; expert < static_cast<int>(shares.size()); ++expert) {
    plan.routing.table.push_back({0, layer, expert, shares[expert], 1});
  }
}

// Every layer with experts by these shares.
void route(Plan& plan, const Model& model, const std::vector<double>& shares) {
  plan.routing = {};
  plan.routing.model = "table";
  for (int layer = 0; layer < model.layers; ++layer) {
    if (model.is_moe_layer(layer)) add_shares(plan, layer, shares);
  }
}

// Replicas alike, each with the same requests, one stage, one micro-batch; tensor ranks that hold
// different experts have whole tokens each.
RandomPlan draw_one_pass() {
  RandomPlan drawn = draw_moe_plan(kGpus);
  drawn.model.weight_dtype = drawn.model.activation_dtype = Dtype::kBf16;
  Plan& plan = drawn.plan;
  plan.layout.pipeline = plan.layout.virtual_stages = 1;
  plan.layout.layers_per_stage.clear();
  plan.batch.micro_batches = plan.batch.decode_micro_batches = 1;
  plan.batch.sequences = plan.layout.dense_data() * plan.layout.tensor * *rc::gen::inRange(1, 3);
  plan.network = *rc::gen::element(NetworkLevelName::kFluid, NetworkLevelName::kAnalytic);
  return drawn;
}

// In each layer all tokens visit the same experts, so that nothing is left to draw.
void route_to_some(RandomPlan& drawn) {
  const MixtureOfExperts& moe = *drawn.model.moe;
  drawn.plan.routing = {};
  drawn.plan.routing.model = "table";
  for (int layer = 0; layer < drawn.model.layers; ++layer) {
    if (!drawn.model.is_moe_layer(layer)) continue;
    std::vector<double> shares(moe.experts, 0.0);
    const int first = *rc::gen::inRange(0, moe.experts);
    const int step = moe.experts % 2 == 1 ? *rc::gen::inRange(1, 3) : 1;
    for (int chosen = 0; chosen < moe.top_k; ++chosen) {
      shares[(first + chosen * step) % moe.experts] = 1.0 / moe.top_k;
    }
    add_shares(drawn.plan, layer, shares);
  }
  RC_PRE(!drawn.plan.routing.table.empty());  // some layer has experts
  if (*rc::gen::arbitrary<bool>()) drawn.plan.placement.policy = PlacementPolicy::kRoundRobin;
}

// Of the prefill and of the first decode step.
std::vector<double> prices(const RandomPlan& drawn, const std::string& zone) {
  const Plan& plan = drawn.plan;
  return in_child([&] {
    const TemporaryXml file(zone);
    Cluster cluster = load_cluster(file.path());
    PassPrice price(plan, drawn.model, cluster, {0});
    std::vector<double> all;
    for (const bool decode : {false, true}) {
      serving::Batch batch;
      for (int at = 0; at < plan.batch.sequences / plan.layout.dense_data(); ++at) {
        batch.push_back(
            {at, decode ? 1 : plan.batch.prompt_tokens, decode ? plan.batch.prompt_tokens : 0});
      }
      const std::vector<serving::StepShape> ranks(plan.layout.expert, serving::shape_of(batch));
      all.push_back(static_cast<double>(price.of(ranks, 0)) * 1e-12);
    }
    return all;
  });
}

TEST(UnevenSteps, TakeTheReplaysTime) {
  EXPECT_TRUE(rc::check([] {
    RandomPlan drawn = draw_one_pass();
    route_to_some(drawn);
    const std::string zone = *rc::gen::arbitrary<bool>() ? star(kGpus, kNic) : clique(kGpus, kNic);
    const std::vector<double> price = prices(drawn, zone);
    const auto require = [&](const char* what, double priced, double replayed) {
      // Prices are whole picoseconds.
      if (std::abs(priced - replayed) <= 1e-9 * replayed + 2e-12) return;
      RC_FAIL(drawn.text() + ", " + what + ": " + std::to_string(priced / replayed - 1) + " of " +
              std::to_string(replayed));
    };
    require("prefill", price[0], makespan(drawn, zone, 1));
    require("with a decode step", price[0] + price[1], makespan(drawn, zone, 2));
  }));
}

TEST(UnevenSteps, OfAnEvenLawTakeWhatEvenExpertsTake) {
  EXPECT_TRUE(rc::check([] {
    RandomPlan drawn = draw_one_pass();
    const std::string zone = star(kGpus, kNic);
    drawn.plan.routing = {};
    const std::vector<double> even = prices(drawn, zone);
    const int experts = drawn.model.moe->experts;
    route(drawn.plan, drawn.model, std::vector<double>(experts, 1.0 / experts));
    const std::vector<double> by_law = prices(drawn, zone);
    for (int step = 0; step < 2; ++step) {
      if (std::abs(by_law[step] - even[step]) <= 1e-9 * even[step] + 2e-12) continue;
      RC_FAIL(drawn.text() + ": " + std::to_string(by_law[step] / even[step] - 1));
    }
  }));
}

// 8 experts on 4 ranks, of which one takes what the others leave.
TEST(UnevenSteps, AHotterExpertIsNeverQuicker) {
  RandomPlan drawn;
  drawn.model = small_moe_model(3);
  drawn.model.weight_dtype = drawn.model.activation_dtype = Dtype::kBf16;
  drawn.model.moe->experts = 8;
  drawn.plan.layout.expert = 4;
  drawn.plan.batch = {.sequences = 16, .prompt_tokens = 256, .output_tokens = 1};
  double before = 0;
  for (const double hot : {0.125, 0.2, 0.3, 0.4, 0.5}) {
    std::vector<double> shares(8, (1 - hot) / 7);
    shares[5] = hot;
    route(drawn.plan, drawn.model, shares);
    const double takes = prices(drawn, star(4, kNic)).front();
    EXPECT_GT(takes, before) << hot;
    before = takes;
  }
}

Plan served(const Model& model) {
  Plan plan;
  plan.library.library = "textbook";
  plan.layout.expert = 2;
  Serve& serve = plan.serve.emplace();
  serve.engine.name = "vllm";
  serve.engine.kv_blocks = 1000;
  serve.engine.max_tokens_per_pass = 256;
  serve.engine.max_sequences = 16;
  for (int at = 0; at < 12; ++at) serve.requests.push_back({Seconds{at * 1e-5}, 30 + at, 5});
  route(plan, model, {0.4, 0.3, 0.2, 0.1});
  return plan;
}

// Ranks without requests take part in what the others' tokens ask of their experts.
TEST(UnevenSteps, AServiceRunsOnThemAndSaysSo) {
  Model model = small_moe_model(2);
  model.weight_dtype = model.activation_dtype = Dtype::kBf16;
  const auto run = [&](const Plan& of) {
    return in_child([&] {
      Plan plan = of;
      const TemporaryXml file(star(2, kNic, {.kernel_launch = 1e-6}));
      plan.platform_path = file.path();
      SimulationOptions options;
      options.memory_limit = Bytes{1e12};
      const Metrics metrics = simulate(plan, model, options).metrics;
      const bool said = std::any_of(
          metrics.assumptions.begin(), metrics.assumptions.end(), [](const std::string& each) {
            return each.find("experts get their shares of every step's tokens") !=
                   std::string::npos;
          });
      return std::vector<double>{metrics.makespan_s, said ? 1.0 : 0.0,
                                 metrics.compute_busy_fraction + metrics.exposed_fraction +
                                     metrics.peer_wait_fraction + metrics.no_work_fraction};
    });
  };
  const std::vector<double> uneven = run(served(model));
  EXPECT_EQ(uneven[1], 1);
  EXPECT_NEAR(uneven[2], 1, 1e-9);
  Plan even = served(model);
  even.routing = {};
  EXPECT_GT(uneven[0], run(even)[0]);
}

TEST(UnevenSteps, WhatChangesWithTimeIsRefused) {
  const Model model = small_moe_model(2);
  const auto refused = [&](const Plan& plan) { return ExpectedLoads::refusal(plan, model).field; };
  EXPECT_EQ(refused(served(model)), "");
  Plan plan = served(model);
  plan.capacity.limited = true;
  EXPECT_EQ(refused(plan), "capacity");
  plan = served(model);
  plan.placement.rebalance_every = 10;
  EXPECT_EQ(refused(plan), "placement.rebalance_every");
  plan = served(model);
  plan.routing.table.push_back({5, 0, 0, 1.0, 1});
  EXPECT_EQ(refused(plan), "routing.table");
  plan.routing = {};
  plan.routing.model = "zipf";
  EXPECT_EQ(refused(plan), "");
  plan.routing.drift_iterations = 7;
  EXPECT_EQ(refused(plan), "routing.drift_iterations");
}

}  // namespace
}  // namespace rehearse
