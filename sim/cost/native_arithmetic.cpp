#include "cost/native_arithmetic.hpp"

#include <algorithm>

#include "model/weights.hpp"

namespace rehearse {

void use_native_arithmetic(Model& model, const std::vector<const Device*>& devices) {
  const auto has_units = [](const Device* device) {
    return device->operators.contains("moe.mxfp4_fp8");
  };
  if (devices.empty() || !std::all_of(devices.begin(), devices.end(), has_units)) return;
  bool changed = false;
  for (PartStorage& rule : model.storage) {
    const bool unpacked = bytes_per_element(rule.storage.arithmetic) >= 2;
    if (!is_mxfp4(rule.storage) || !unpacked || !of_routed_experts(rule.part)) continue;
    rule.storage.arithmetic = Dtype::kFp8;
    changed = true;
  }
  if (!changed) return;
  model.notes.emplace_back(
      "experts in MXFP4 are multiplied with MXFP8, for which these GPUs have units (vLLM: where "
      "VLLM_USE_FLASHINFER_MOE_MXFP4_MXFP8 is set)");
}

std::vector<const Device*> devices_of(const Platform& platform) {
  std::vector<const Device*> devices;
  devices.reserve(platform.devices.size());
  for (const Device& device : platform.devices) devices.push_back(&device);
  return devices;
}

}  // namespace rehearse
