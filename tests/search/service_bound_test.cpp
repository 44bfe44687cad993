// No simulation of a service beats its bound, whatever comes how, and what the bound refuses a
// simulation refuses.
#include "simulation/service_bound.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <string>

#include "layout/layout.hpp"
#include "replay/recorded_run.hpp"
#include "search/objective.hpp"
#include "sizing/small_services.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 8;
const SearchPlatform kPriced = {"", "", kGpus, 2.0, 700.0};

Plan draw_service() {
  SmallService service;
  service.rate = *rc::gen::element(5.0, 50.0, 2000.0);
  service.requests = *rc::gen::inRange(1, 40);
  service.prompt = *rc::gen::inRange(1, 60);
  service.output = *rc::gen::inRange(1, 20);
  service.max_sequences = *rc::gen::inRange(1, 9);
  service.kv_blocks = *rc::gen::element(1, 4, 1000);  // one of 16 tokens holds few requests
  service.process = *rc::gen::element(ArrivalProcess::kConstant, ArrivalProcess::kPoisson);
  Plan plan = plan_of(service);
  Serve& serve = *plan.serve;
  if (*rc::gen::arbitrary<bool>()) serve.engine.step_time.reset();
  serve.slo = Slo{Seconds{*rc::gen::element(1e-4, 0.05, 1.0)}, Seconds{0.01}, 0.9};
  serve.replicas = *rc::gen::inRange(1, 3);
  plan.layout.tensor = *rc::gen::element(1, 2);
  plan.layout.pipeline = *rc::gen::element(1, 2);
  const int kind = *rc::gen::inRange(0, 4);
  if (kind == 0) serve.concurrency = 3;
  if (kind == 1) serve.warm_up = serve.requests.back().arrival * 0.5;
  if (kind == 2) {  // each second one continues the one before
    for (int at = 1; at < static_cast<int>(serve.requests.size()); at += 2) {
      serve.requests[at].after = at - 1;
      serve.requests[at].arrival = serve.requests[at - 1].arrival;
    }
  }
  return plan;
}

// By quantity; empty: refused.
std::vector<double> in_cluster(Plan plan, const Model& model, bool simulates) {
  return in_child([&]() -> std::vector<double> {
    const TemporaryXml file(clique(kGpus, {1e9, 1e-6}));
    plan.platform_path = file.path();
    if (!simulates) {
      Cluster cluster = load_cluster(plan.platform_path);
      const ServiceBound bound = bound_of_service(plan, model, cluster);
      return bound.refusal.empty() ? values_of(bound.metrics, kPriced) : std::vector<double>{};
    }
    SimulationOptions options;
    options.memory_limit = Bytes{1e10};
    try {
      return values_of(simulate(plan, model, options).metrics, kPriced);
    } catch (const InputError&) {
      return {};
    }
  });
}

TEST(ServiceBound, IsNeverBeaten) {
  int refused = 0;
  int compared = 0;
  EXPECT_TRUE(rc::check([&] {
    const Plan plan = draw_service();
    const Model model = small_dense_model(2);
    const std::vector<double> bound = in_cluster(plan, model, false);
    const std::vector<double> found = in_cluster(plan, model, true);
    if (bound.empty()) {
      ++refused;
      RC_ASSERT(found.empty());
      return;
    }
    if (found.empty()) return;  // too few requests after the warm-up, ...
    ++compared;
    for (std::size_t at = 0; at < search_quantities().size(); ++at) {
      const SearchQuantity& quantity = search_quantities()[at];
      if (!quantity.bounded || !is_better(static_cast<int>(at), found[at], bound[at])) continue;
      // Dates of the service are whole picoseconds.
      if (std::abs(found[at] / bound[at] - 1) < 1e-9) continue;
      RC_FAIL(std::string(quantity.name) + " is " + std::to_string(found[at]) + ", its bound " +
              std::to_string(bound[at]));
    }
  }));
  EXPECT_GT(refused, 0);
  EXPECT_GT(compared, 50);
}

// 20 requests of 5 tokens, one every 0.1 s: 1.9 s, in which at most 20 x 5 tokens and 20 requests
// end; whose 2 GPUs at 2 dollars an hour cost 1.9 s x 4 / 3600 for 100 tokens.
TEST(ServiceBound, IsWhatAllRequestsBring) {
  SmallService service;
  service.rate = 10;
  service.requests = 20;
  service.output = 5;
  Plan plan = plan_of(service);
  plan.serve->replicas = 2;
  const std::vector<double> bound = in_cluster(plan, small_dense_model(), false);
  const auto value = [&](const char* name) { return bound.at(quantity_named(name, {})); };
  EXPECT_NEAR(value("throughput.output_tokens_per_s"), 100 / 1.9, 1e-6);
  EXPECT_NEAR(value("serving.request_rate"), 20 / 1.9, 1e-6);
  EXPECT_EQ(value("gpus"), 2);
  EXPECT_NEAR(value("cost.dollars_per_million_output_tokens"), 1.9 * 4 / 3600 / 100 * 1e6, 1e-6);
  EXPECT_EQ(value("ttft_s.p99"), 0);
  plan.serve->concurrency = 2;  // nobody knows how long the run is
  const std::vector<double> open = in_cluster(plan, small_dense_model(), false);
  EXPECT_TRUE(std::isinf(open.at(quantity_named("throughput.output_tokens_per_s", {}))));
  EXPECT_EQ(open.at(quantity_named("cost.dollars_per_million_output_tokens", {})), 0);
}

}  // namespace
}  // namespace rehearse
