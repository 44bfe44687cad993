// Laws that hold of every trace on every layout, whatever the engine: what a service says is the
// same with and without the replay of its operators; each step ends in the replay when its price
// says, where nobody shares links; a GPU's time has five words; Little's law.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "simulation/served.hpp"

namespace rehearse {
namespace {

Layout draw_layout(bool experts) {
  Layout layout;
  layout.tensor = *rc::gen::element(1, 2);
  layout.pipeline = *rc::gen::element(1, 2);
  layout.data = *rc::gen::element(1, 2);
  if (experts) layout.expert = *rc::gen::element(1, 2);
  return layout;
}

std::vector<Arriving> draw_trace() {
  const int requests = *rc::gen::inRange(1, 14);
  std::vector<Arriving> trace;
  double now = 0;
  for (int at = 0; at < requests; ++at) {
    now += *rc::gen::element(0.0, 1e-4, 1e-3, 1e-2);
    trace.push_back({now, *rc::gen::inRange(1, 600), *rc::gen::inRange(1, 7)});
  }
  return trace;
}

Plan draw_service(const std::vector<Arriving>& trace, const Layout& layout) {
  Plan plan = plan_serving(trace, *rc::gen::inRange(1, 4), layout);
  Serve& serve = *plan.serve;
  serve.replicas = *rc::gen::inRange(1, 3);
  serve.router = *rc::gen::element("round_robin", "least_loaded");
  // Of the others, stages of a pipeline are not modelled.
  serve.engine.name = "vllm";
  if (layout.pipeline == 1) {
    serve.engine.name = *rc::gen::element("static", "vllm", "sglang", "tensorrt_llm");
  }
  serve.engine.kv_blocks = *rc::gen::inRange(50, 200);
  serve.engine.block_tokens = serve.engine.name == "sglang" ? 1 : 16;
  if (serve.engine.name == "sglang") *serve.engine.kv_blocks *= 16;
  // Prompts longer than a pass are cut into chunks, or refused.
  const bool cuts = serve.engine.name == "vllm" || serve.engine.name == "sglang";
  if (cuts) serve.engine.max_tokens_per_pass = 256;
  if (*rc::gen::arbitrary<bool>()) serve.concurrency = *rc::gen::inRange(1, 5);
  return plan;
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(1.0, std::abs(b)); }

RC_GTEST_PROP(ServeLaws, HoldForEveryTrace, ()) {
  const bool experts = *rc::gen::arbitrary<bool>();
  const Model model = experts ? small_moe_model(2) : small_dense_model(2);
  const std::vector<Arriving> trace = draw_trace();
  const Layout layout = draw_layout(experts);
  const Plan plan = draw_service(trace, layout);
  const std::string zone =
      clique(32, {1e12, 1e-6}, {.kernel_launch = 3e-6, .collective_launch = 5e-6});
  const std::vector<double> numbers = serve_numbers(model, plan, zone);
  std::vector<double> replayed = in_child([&] {
    SimulationOptions options;
    options.operators = true;
    return numbers_replayed(simulated(model, plan, zone, options));
  });
  const auto take = [&] {
    const double last = replayed.back();
    replayed.pop_back();
    return last;
  };
  // Replicas that share experts and bring unlike tokens: no price is below the replay.
  const double earlier = take();
  RC_ASSERT((earlier == 0 || layout.expert > 1));
  RC_ASSERT(take() == 0);  // later
  RC_ASSERT(take() > 0);   // replayed
  RC_ASSERT(replayed == numbers);

  const Told told = told_of(numbers);
  RC_ASSERT(near(told.shares, 1));
  RC_ASSERT(told.no_work >= 0);
  for (int at = 0; at < static_cast<int>(trace.size()); ++at) {
    const Told::OfRequest& request = told.requests[at];
    RC_ASSERT(request.queue >= 0);
    RC_ASSERT(request.ttft > request.queue);
    const bool single = trace[at].output == 1;
    RC_ASSERT((single ? near(request.e2e, request.ttft) : request.e2e > request.ttft));
  }
}

}  // namespace
}  // namespace rehearse
