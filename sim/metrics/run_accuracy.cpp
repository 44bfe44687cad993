#include "metrics/run_accuracy.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rehearse {
namespace {

// What no published row that is scored is like; empty: there are such.
std::string beyond(const Plan& plan, const Model& model, const Platform& platform) {
  const bool known = std::all_of(platform.devices.begin(), platform.devices.end(),
                                 [](const Device& device) { return !device.gpu.empty(); });
  if (!known) return "its GPUs are none of the catalogue";
  if (plan.serve) return "requests that arrive are served in static batches";
  if (model.moe) return "its model is a mixture of experts";
  return {};
}

std::string provenance_of(const Device& device) {
  if (device.operators.empty()) return "datasheet";
  const auto assumed = [](const auto& row) { return row.second.assumed; };
  const bool any = std::any_of(device.operators.begin(), device.operators.end(), assumed) ||
                   std::any_of(device.collectives.begin(), device.collectives.end(), assumed);
  return any ? "assumed" : "measured";
}

}  // namespace

RunAccuracy accuracy_of(const Plan& plan, const Model& model, const Platform& platform) {
  RunAccuracy accuracy;
  accuracy.beyond = beyond(plan, model, platform);
  if (platform.devices.empty() || !accuracy.beyond.empty()) return accuracy;
  const Device& device = platform.devices.front();
  if (!plan.engine.name.empty()) {
    accuracy.error = expected_error("static." + plan.engine.name, device.gpu);
  }
  if (accuracy.error == nullptr) accuracy.error = expected_error("static", device.gpu);
  accuracy.provenance = provenance_of(device);
  return accuracy;
}

std::string to_text(const RunAccuracy& accuracy) {
  if (accuracy.error == nullptr) {
    return fmt::format("expected error of times: not known, nobody has compared: {}",
                       accuracy.beyond);
  }
  return fmt::format(
      "expected error of times: {:.0f} %, P90 {:.0f} % ({} published static batches, {}); "
      "constants "
      "of the GPU {}",
      100 * accuracy.error->median, 100 * accuracy.error->p90, accuracy.error->rows,
      accuracy.error->family, accuracy.provenance);
}

}  // namespace rehearse
