// A pass that is refilled is the pass that would have been compiled.
#include "service/compiled_pass.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "program/written_layers.hpp"
#include "property/random_plans.hpp"

namespace rehearse {
namespace {

Platform one_gpu() {
  Platform platform;
  Device device;
  device.peak = FlopsPerSecond{1e12};
  device.memory = Bytes{1e10};
  device.memory_bandwidth = BytesPerSecond{1e10};
  device.kernel_launch = Seconds{1e-6};
  platform.devices = {device};
  platform.gpus = {{"g", 0, -1, ""}};
  return platform;
}

// Of as many tokens and sequences: a prompt's chunk with decodes, or decodes only.
std::vector<Slice> draw_slices(int decodes, int chunk) {
  std::vector<Slice> slices;
  if (chunk > 0) slices.push_back({1, 1.0 * chunk, 1.0 * *rc::gen::inRange(0, 200)});
  for (int at = 0; at < decodes; ++at) slices.push_back({1, 1, 1.0 * *rc::gen::inRange(1, 300)});
  return slices;
}

// A layer may be written down for what comes behind it, and stand at no place.
bool is_executed(const PassProgram& pass, int instruction) {
  return std::any_of(pass.places.begin(), pass.places.end(), [&](const Place& place) {
    return place.begin <= instruction && instruction < place.end;
  });
}

TEST(CompiledPass, RefilledIsCompiledAnew) {
  const Platform platform = one_gpu();
  const DeviceRates device(platform, platform.devices[0]);
  EXPECT_TRUE(rc::check([&] {
    RandomPlan drawn = draw_plan_of_kinds(8);
    drawn.model.weight_dtype = drawn.model.activation_dtype = Dtype::kBf16;
    const int decodes = *rc::gen::inRange(1, 6);
    const int chunk = *rc::gen::element(0, 2, 17);
    PassShape shape;
    shape.slices = draw_slices(decodes, chunk);
    shape.group_tokens = shape.tokens() * drawn.plan.layout.expert;
    shape.layers = stage_layers(drawn.plan.layout, drawn.model.layers)[0];
    const std::vector<int> kinds = layer_kinds(drawn.model);
    CompiledPass refilled(drawn.model, drawn.plan.layout, shape, kinds, {&device});
    shape.slices = draw_slices(decodes, chunk);
    refilled.refill(shape.slices);
    CompiledPass anew(drawn.model, drawn.plan.layout, shape, kinds, {&device});
    RC_ASSERT(refilled.times().size() == anew.times().size());
    for (std::size_t at = 0; at < anew.times().size(); ++at) {
      if (!is_executed(anew.program(), static_cast<int>(at))) continue;
      const Seconds off = refilled.times()[at] - anew.times()[at];
      if (std::abs(off.value) <= 1e-15 * anew.times()[at].value) continue;
      RC_FAIL(drawn.text() + ", instruction " + std::to_string(at) + ": off by " +
              std::to_string(refilled.times()[at] / anew.times()[at] - 1));
    }
    RC_ASSERT(std::abs(refilled.computing() / anew.computing() - 1) < 1e-14);
  }));
}

// Decodes that see all keys grow linearly, so a step is that of any contexts with the same mean.
TEST(CompiledPass, ADecodeIsThatOfItsMeanContext) {
  const Platform platform = one_gpu();
  const DeviceRates device(platform, platform.devices[0]);
  EXPECT_TRUE(rc::check([&] {
    RandomPlan drawn = draw_plan(8);
    drawn.model.weight_dtype = drawn.model.activation_dtype = Dtype::kBf16;
    const int decodes = *rc::gen::inRange(1, 6);
    PassShape shape;
    shape.slices = draw_slices(decodes, 0);
    shape.group_tokens = shape.tokens() * drawn.plan.layout.expert;
    shape.layers = stage_layers(drawn.plan.layout, drawn.model.layers)[0];
    const std::vector<int> kinds = layer_kinds(drawn.model);
    CompiledPass anew(drawn.model, drawn.plan.layout, shape, kinds, {&device});
    double context = 0;
    for (const Slice& slice : shape.slices) context += slice.context;
    shape.slices = {{1.0 * decodes, 1, 1}};
    shape.grows = true;
    CompiledPass growing(drawn.model, drawn.plan.layout, shape, kinds, {&device});
    growing.set_step(context / decodes - 1);
    RC_ASSERT(std::abs(growing.computing() / anew.computing() - 1) < 1e-12);
  }));
}

}  // namespace
}  // namespace rehearse
