// A step's price is what the replay of the same pass takes, where nothing else shares its links.
#include "service/pass_price.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "cluster_xml/xml_text.hpp"
#include "graph/small_models.hpp"
#include "property/random_plans.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "service/whole_run.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 24;
constexpr SmallLink kNic = {1e9, 1e-6};

// Replicas alike, each with the same requests, one stage, one micro-batch.
RandomPlan draw_one_pass(bool of_kinds) {
  RandomPlan drawn = of_kinds ? draw_plan_of_kinds(kGpus) : draw_plan(kGpus);
  drawn.model.weight_dtype = drawn.model.activation_dtype = Dtype::kBf16;
  Plan& plan = drawn.plan;
  plan.layout.pipeline = plan.layout.virtual_stages = 1;
  plan.layout.layers_per_stage.clear();
  plan.batch.micro_batches = plan.batch.decode_micro_batches = 1;
  plan.batch.sequences = plan.layout.dense_data() * *rc::gen::inRange(1, 4);
  // Where a layer has experts beside a dense FFN, their transfers share links with each other.
  plan.network = of_kinds
                     ? NetworkLevelName::kAnalytic
                     : *rc::gen::element(NetworkLevelName::kFluid, NetworkLevelName::kAnalytic);
  return drawn;
}

// Where all groups are alike, and where some leave their domain: every collective counts as in the
// slowest of them, so that a price may be above the replay's time there.
struct Zone {
  std::string text;
  bool alike = true;
};

Zone draw_zone() {
  const Zone zones[] = {{star(kGpus, kNic)},
                        {clique(kGpus, kNic)},
                        {two_fabrics(kGpus, 8, {20e9, 0.5e-6}, kNic), false}};
  return zones[*rc::gen::inRange(0, 3)];
}

serving::Batch batch_of(const RandomPlan& drawn, bool decode) {
  serving::Batch batch;
  const Batch& whole = drawn.plan.batch;
  for (int at = 0; at < whole.sequences / drawn.plan.layout.dense_data(); ++at) {
    serving::Slice slice;
    slice.tokens = decode ? 1 : whole.prompt_tokens;
    slice.context = decode ? whole.prompt_tokens : 0;
    batch.push_back(slice);
  }
  return batch;
}

// Of the prefill and of the first decode step.
std::vector<double> prices(const RandomPlan& drawn, const std::string& zone) {
  Plan plan = drawn.plan;
  return in_child([&] {
    const TemporaryXml file(zone);
    Cluster cluster = load_cluster(file.path());
    PassPrice price(plan, drawn.model, cluster, {0});
    std::vector<double> all;
    for (const bool decode : {false, true}) {
      const serving::Batch batch = batch_of(drawn, decode);
      const std::vector<serving::StepShape> ranks(plan.layout.expert, serving::shape_of(batch));
      all.push_back(static_cast<double>(price.of(ranks, 0)) * 1e-12);
    }
    return all;
  });
}

void require_the_replays_times(bool of_kinds) {
  const RandomPlan drawn = draw_one_pass(of_kinds);
  const auto [zone, alike] = draw_zone();
  const bool at_least = !alike;
  const std::vector<double> price = prices(drawn, zone);
  const double prefill = makespan(drawn, zone, 1);
  const double both = makespan(drawn, zone, 2);
  const auto require = [&](const char* what, double priced, double replayed) {
    // Prices are whole picoseconds.
    if (std::abs(priced - replayed) <= 1e-9 * replayed + 2e-12) return;
    if (at_least && priced > replayed) return;
    RC_FAIL(drawn.text() + ", " + what + ": " + std::to_string(priced / replayed - 1) + " of " +
            std::to_string(replayed));
  };
  require("prefill", price[0], prefill);
  require("with a decode step", price[0] + price[1], both);
}

TEST(PassPrice, IsTheReplaysTime) {
  EXPECT_TRUE(rc::check([] { require_the_replays_times(false); }));
}

TEST(PassPrice, IsTheReplaysTimeOfEveryKindOfLayer) {
  EXPECT_TRUE(rc::check([] { require_the_replays_times(true); }));
}

// Passes are forgotten when there are many, and not while a step that needs them is priced: 3 ranks
// of a step do not divide the 4,096 that are kept.
TEST(PassPrice, DoesNotDependOnWhatWasPricedBefore) {
  Plan plan;
  plan.layout.expert = 3;
  Model model = small_moe_model();
  model.moe->experts = 3;
  model.moe->top_k = 1;
  std::vector<serving::Batch> batches(3, serving::Batch(1));  // shapes look at them
  const auto ranks_of = [&](int step) {
    std::vector<serving::StepShape> ranks;
    for (int rank = 0; rank < 3; ++rank) {
      batches[rank].front().tokens = 3 * step + rank + 1;
      ranks.push_back(serving::shape_of(batches[rank]));
    }
    return ranks;
  };
  const std::vector<double> told = in_child([&] {
    const TemporaryXml file(star(3, kNic));
    Cluster cluster = load_cluster(file.path());
    PassPrice price(plan, model, cluster, {0});
    std::vector<double> all;
    for (int step = 0; step < 1400; ++step) {
      const double longer = static_cast<double>(price.of(ranks_of(step), 0));
      if (step < 1360) continue;
      PassPrice fresh(plan, model, cluster, {0});
      all.push_back(longer - static_cast<double>(fresh.of(ranks_of(step), 0)));
    }
    return all;
  });
  EXPECT_EQ(told, std::vector<double>(40));
}

}  // namespace
}  // namespace rehearse
