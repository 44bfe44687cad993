// A bound is never beaten by the simulation, its memory is the simulation's, and it is close enough
// to be of use.
#include "estimate/bound.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "cluster_xml/xml_text.hpp"
#include "property/random_plans.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "search/objective.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 24;
constexpr SmallLink kNic = {1e9, 1e-6};
constexpr SmallLink kInstant = {1e15, 0};  // operators are all that takes time

// With rows of what kernels reach, which another cost model prices.
std::string calibrated(std::string zone) {
  constexpr std::string_view kBefore = "<prop id=\"kernel_launch\"";
  const std::string rows =
      "<prop id=\"compute_units\" value=\"8\"/><prop id=\"operators\" value=\""
      "gemm.bf16 launch 2us compute 0.7 memory 0.8 depth 1ns; moe.bf16 launch 5us compute 0.5; "
      "attention_prefill launch 3us compute 0.4 memory 0.5; attention_decode launch 4us memory "
      "0.6; "
      "elementwise launch 1us memory 0.9; sampling launch 6us\"/>";
  for (std::size_t at = zone.find(kBefore); at != std::string::npos;
       at = zone.find(kBefore, at + rows.size() + 1)) {
    zone.insert(at, rows);
  }
  return zone;
}

std::string draw_zone() {
  static const std::vector<std::string> kZones = {star(kGpus, kNic),
                                                  star(kGpus, kInstant),
                                                  clique(kGpus, kNic),
                                                  two_fabrics(kGpus, 4, {20e9, 0.5e-6}, kNic),
                                                  two_fabrics(kGpus, 8, {20e9, 0.5e-6}, kNic),
                                                  trunks(6, 4, kNic, {2e9, 0.5e-6})};
  const std::string& zone = kZones[*rc::gen::inRange<std::size_t>(0, kZones.size())];
  return *rc::gen::arbitrary<bool>() ? calibrated(zone) : zone;
}

const SearchPlatform kPriced = {"", "", kGpus, 2.0, 700.0};

std::vector<double> bound_of(const Model& model, Plan plan, const std::string& zone) {
  return in_child([&] {
    const TemporaryXml file(zone);
    plan.platform_path = file.path();
    Cluster cluster = load_cluster(plan.platform_path);
    return values_of(Bounder(model, cluster, plan.engine.times).bound(plan), kPriced);
  });
}

std::vector<double> simulation_of(const Model& model, Plan plan, const std::string& zone) {
  return in_child([&] {
    const TemporaryXml file(zone);
    plan.platform_path = file.path();
    SimulationOptions options;
    options.memory_limit = Bytes{1e10};
    return values_of(simulate(plan, model, options).metrics, kPriced);
  });
}

int memory_quantity() { return quantity_named("memory.peak_bytes", {}); }

// What the simulation found over what the bound said.
struct Compared {
  std::vector<double> bound;
  std::vector<double> simulated;
};

// Of none, of small times beside an operator's, and of large ones.
EngineTimes draw_engine() {
  const auto time = [] { return Seconds{*rc::gen::element(0.0, 2e-7, 5e-6, 1e-3)}; };
  if (*rc::gen::arbitrary<bool>()) return {};
  EngineTimes engine;
  engine.per_operator = time();
  engine.per_collective = time();
  engine.per_step = time();
  engine.per_request = time();
  return engine;
}

Compared compare_on_a_drawn_platform(RandomPlan& drawn) {
  // The GPUs have no other peak.
  drawn.model.weight_dtype = drawn.model.activation_dtype = Dtype::kBf16;
  const NetworkLevelName levels[] = {NetworkLevelName::kFluid, NetworkLevelName::kAnalytic,
                                     NetworkLevelName::kExact};
  drawn.plan.network = levels[*rc::gen::inRange(0, 3)];
  drawn.plan.engine.times = draw_engine();
  const std::string zone = draw_zone();
  return {bound_of(drawn.model, drawn.plan, zone), simulation_of(drawn.model, drawn.plan, zone)};
}

void require_unbeaten(const RandomPlan& drawn, const Compared& both) {
  for (std::size_t at = 0; at < search_quantities().size(); ++at) {
    if (!search_quantities()[at].bounded) continue;
    if (!is_better(static_cast<int>(at), both.simulated[at], both.bound[at])) continue;
    const double off = both.simulated[at] / both.bound[at] - 1;
    // Rates and memory are computed in another order.
    if (std::abs(off) > 1e-9)
      RC_FAIL(drawn.text() + ", " + search_quantities()[at].name + " " + std::to_string(off));
  }
}

TEST(Bound, IsNeverBeatenAndKnowsTheMemory) {
  EXPECT_TRUE(rc::check([] {
    RandomPlan drawn = draw_plan(kGpus);
    const Compared both = compare_on_a_drawn_platform(drawn);
    require_unbeaten(drawn, both);
    const double memory = both.simulated[memory_quantity()] / both.bound[memory_quantity()];
    if (std::abs(memory - 1) > 1e-12) RC_FAIL(drawn.text() + ", memory " + std::to_string(memory));
  }));
}

TEST(Bound, IsNeverBeatenWhereRoutingIsNotUniform) {
  EXPECT_TRUE(rc::check([] {
    RandomPlan drawn = draw_routed_plan(kGpus);
    require_unbeaten(drawn, compare_on_a_drawn_platform(drawn));
  }));
}

// Bound over simulation of a model and batch of the size of real ones, where the bound has to be
// tight, or it prunes nothing.
void expect_tight(const Layout& layout, double within) {
  Model model;
  model.name = "m";
  model.layers = 8;
  model.hidden = 1024;
  model.attention = {{8, 8, 128, false}};
  model.dense = {FeedForward{4096, false, false}};
  model.vocab = 1000;
  Plan plan;
  plan.library.library = "textbook";  // takes the fastest, and so the bound's
  plan.layout = layout;
  plan.batch = {8, 512, 32, 4, 0};
  const std::string zone = star(kGpus, kNic);
  const std::vector<double> bound = bound_of(model, plan, zone);
  const std::vector<double> simulated = simulation_of(model, plan, zone);
  for (const char* name : {"makespan_s", "ttft_s.mean", "ttft_s.p99"}) {
    const int at = quantity_named(name, {});
    EXPECT_NEAR(bound[at] / simulated[at], 1, within) << name;
  }
}

// One replica without pipeline: nothing is waited for but the rank's own transfers, so the bound is
// the simulation, but for growing decode steps (bounded in runs, 0.1 % of the time here).
TEST(Bound, IsTheSimulationWhereNothingIsWaitedFor) {
  Layout layout;
  layout.tensor = 4;
  expect_tight(layout, 1e-3);
}

// A random draw of experts over four ranks that all get about as much: the mean rank is nearly the
// busiest, which everybody waits for. Weights are small beside the tokens.
TEST(Bound, CountsTheExpertsOfTheMeanRank) {
  Model model;
  model.name = "m";
  model.layers = 4;
  model.hidden = 256;
  model.attention = {{8, 8, 32, false}};
  model.moe = MixtureOfExperts{.experts = 16, .top_k = 4, .expert = {1024, false, false}};
  model.vocab = 100;
  Plan plan;
  plan.layout.expert = 4;
  plan.batch = {64, 1024, 1, 1, 0};
  plan.routing.model = "zipf";
  plan.routing.exponent = 0.01;
  const std::string zone = star(kGpus, kInstant);
  const std::vector<double> bound = bound_of(model, plan, zone);
  const std::vector<double> simulated = simulation_of(model, plan, zone);
  const int at = quantity_named("makespan_s", {});
  EXPECT_NEAR(bound[at] / simulated[at], 1, 0.02);
}

// Four stages: the fill and the drain of the pipeline are in the bound.
TEST(Bound, CountsThePipelinesFill) {
  Layout layout;
  layout.pipeline = 4;
  expect_tight(layout, 1e-2);
}

// Each rank has two chunks of one layer: it fills in three of these.
TEST(Bound, CountsAnInterleavedPipelinesFill) {
  Layout layout;
  layout.pipeline = 4;
  layout.virtual_stages = 2;
  expect_tight(layout, 1e-2);
}

// The last step's tokens go nowhere. A message of theirs kept the last rank's stream, and with it
// the activations that its first chunk sends on.
TEST(Bound, HasNoMessageBehindTheLastStep) {
  Model model;
  model.layers = 7;
  model.hidden = 64;
  model.attention = {{.heads = 4, .kv_heads = 4, .head_dim = 16}};
  model.dense = {FeedForward{128}};
  model.vocab = 100;
  Plan plan;
  plan.layout.pipeline = 2;
  plan.layout.virtual_stages = 2;
  plan.batch = {.sequences = 3, .prompt_tokens = 1, .output_tokens = 2, .micro_batches = 1};
  plan.batch.decode_micro_batches = 3;
  const std::string zone = star(kGpus, kNic);
  const int makespan = quantity_named("makespan_s", {});
  const double bound = bound_of(model, plan, zone)[makespan];
  EXPECT_LE(bound, simulation_of(model, plan, zone)[makespan]);
}

// Nor has one where there is no step at all: nobody waits for the first tokens.
TEST(Bound, HasNoMessageWithoutADecodeStep) {
  Model model;
  model.layers = 4;
  model.hidden = 8;
  model.attention = {{.heads = 4, .kv_heads = 1, .head_dim = 1}};
  model.dense = {FeedForward{16}};
  model.vocab = 100;
  Plan plan;
  plan.layout.pipeline = 2;
  plan.layout.virtual_stages = 2;
  plan.batch = {.sequences = 3, .prompt_tokens = 1, .output_tokens = 1, .micro_batches = 3};
  const std::string zone = star(kGpus, kInstant);  // messages are launches and nothing else
  const int makespan = quantity_named("makespan_s", {});
  const double bound = bound_of(model, plan, zone)[makespan];
  EXPECT_LE(bound, simulation_of(model, plan, zone)[makespan]);
}

}  // namespace
}  // namespace rehearse
