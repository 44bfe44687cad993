// A batch of the static plan, given as requests at time 0 to an engine without limits, takes what
// the replay of its operators takes.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "cluster_xml/xml_text.hpp"
#include "property/random_plans.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 24;

RandomPlan draw_batch() {
  RandomPlan drawn = draw_plan(kGpus);
  drawn.model.weight_dtype = drawn.model.activation_dtype = Dtype::kBf16;
  Plan& plan = drawn.plan;
  plan.layout.pipeline = plan.layout.virtual_stages = 1;
  plan.layout.layers_per_stage.clear();
  plan.batch.micro_batches = plan.batch.decode_micro_batches = 1;
  plan.batch.sequences = plan.layout.dense_data() * *rc::gen::inRange(1, 4);
  plan.batch.output_tokens = *rc::gen::inRange(1, 12);
  plan.network = NetworkLevelName::kFluid;
  return drawn;
}

Plan served(const Plan& batch) {
  Plan plan = batch;
  Serve& serve = plan.serve.emplace();
  for (int at = 0; at < batch.batch.sequences; ++at) {
    serve.requests.push_back({{}, batch.batch.prompt_tokens, batch.batch.output_tokens});
  }
  serve.engine.name = "vllm";
  serve.engine.max_tokens_per_pass = 1 << 20;
  serve.engine.max_sequences = 1 << 10;
  serve.engine.asynchronous = serve.engine.cuda_graphs = serve.engine.prefix_cache = false;
  serve.engine.kv_blocks = 1 << 20;
  return plan;
}

std::vector<double> told(const RandomPlan& drawn, Plan plan, const std::string& zone) {
  return in_child([&] {
    const TemporaryXml file(zone);
    plan.platform_path = file.path();
    SimulationOptions options;
    options.memory_limit = Bytes{1e10};
    const Metrics metrics = simulate(plan, drawn.model, options).metrics;
    return std::vector<double>{metrics.makespan_s, metrics.ttft_s.mean,
                               metrics.tpot_s ? metrics.tpot_s->mean : 0};
  });
}

TEST(StaticBatch, ServedAtOnceTakesWhatItsReplayTakes) {
  EXPECT_TRUE(rc::check([] {
    const RandomPlan drawn = draw_batch();
    const std::string zone =
        *rc::gen::element(star(kGpus, {1e9, 1e-6}), clique(kGpus, {1e9, 1e-6}));
    const std::vector<double> replayed = told(drawn, drawn.plan, zone);
    const std::vector<double> priced = told(drawn, served(drawn.plan), zone);
    for (std::size_t at = 0; at < replayed.size(); ++at) {
      // Steps take whole picoseconds.
      const double rounding = 1e-12 * drawn.plan.batch.output_tokens;
      if (std::abs(priced[at] - replayed[at]) <= 1e-9 * replayed[at] + rounding) continue;
      RC_FAIL(drawn.text() + ", " + std::to_string(at) + " replayed " +
              std::to_string(1e6 * replayed[at]) + " us: off by " +
              std::to_string(priced[at] / replayed[at] - 1));
    }
  }));
}

}  // namespace
}  // namespace rehearse
