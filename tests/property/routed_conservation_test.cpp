// Whatever the routing, capacity and placement: every copy that the router chose is computed or
// dropped, and the bytes of dispatch and return are those of the copies. Each replay runs in a
// child process: SimGrid allows one simulation per process.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <string>

#include "program/lower.hpp"
#include "property/random_plans.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 12;

struct Sums {
  double dispatched = 0;
  double returned = 0;
  double copies = 0;  // by the ranks' own count
  double flops = 0;   // of the experts' first operators
};

Sums sums_of(const RecordedRun& recorded, const Programs& programs) {
  Sums sums;
  for (const Span& span : recorded.spans) {
    const Instruction& at = instruction_of(programs, span);
    if (at.name < 0) continue;
    const std::string& name = programs.names[at.name];
    if (name.ends_with("dispatch")) sums.dispatched += span.bytes.value;
    if (name.ends_with("return")) sums.returned += span.bytes.value;
    if (name.ends_with("expert up") && at.routed >= 0) {
      sums.copies += span.copies;
      sums.flops += span.flops.value;
    }
  }
  return sums;
}

void require_equal(double actual, double expected, const char* what, const RandomPlan& drawn) {
  if (std::abs(actual - expected) <= 1e-9 * std::max(1.0, std::abs(expected))) return;
  RC_FAIL(std::string(what) + ": " + std::to_string(actual) + " instead of " +
          std::to_string(expected) + ": " + drawn.text());
}

RC_GTEST_PROP(RoutedConservation, CopiesAreComputedOrDroppedAndTheirBytesTravel, ()) {
  const RandomPlan drawn = draw_routed_plan(kGpus);
  const Model& model = drawn.model;
  const Layout& layout = drawn.plan.layout;
  if (!routes_tokens(drawn.plan, model)) return;
  Programs programs = lower(model, drawn.plan);
  // The GPUs of the small cluster have no other peak.
  programs.compute_dtype = Dtype::kBf16;
  for (PassProgram& pass : programs.passes) {
    for (Work& work : pass.works) work.computed = Dtype::kBf16;
  }
  const std::vector<double> values = in_child([&] {
    const RecordedRun recorded = run(programs, star(kGpus, {1e9, 1e-6}));
    const Sums sums = sums_of(recorded, programs);
    double dropped = 0;
    for (const double of_layer : recorded.routed.dropped) dropped += of_layer;
    return std::vector<double>{sums.dispatched,
                               sums.returned,
                               sums.copies,
                               sums.flops,
                               recorded.routed.routed,
                               recorded.routed.computed,
                               recorded.routed.padding,
                               dropped};
  });
  const double moe_layers = model.layers - model.moe->first_dense_layers;
  require_equal(values[4], tokens_fed(drawn.plan.batch) * model.moe->top_k * moe_layers, "routed",
                drawn);
  require_equal(values[5] + values[7], values[4] + values[6], "computed + dropped", drawn);
  // The tensor ranks of a split expert each compute their columns of every copy.
  const int degree = expert_tensor_degree(layout);
  require_equal(values[2], values[5] * degree, "copies of the ranks", drawn);
  const double columns = 1.0 * model.moe->expert.width / degree * (model.moe->expert.gated ? 2 : 1);
  require_equal(values[3], values[2] * 2 * model.hidden * columns, "FLOPs", drawn);
  const bool gathered = layout.sequence_parallel && degree > 1;
  const double row = model.hidden * bytes_per_element(model.activation_dtype);
  const double received = values[2] * row / (gathered ? layout.tensor : 1);
  require_equal(values[0], expert_group_size(layout) > 1 ? received : 0, "dispatched", drawn);
  require_equal(values[1], values[0], "returned", drawn);
}

}  // namespace
}  // namespace rehearse
