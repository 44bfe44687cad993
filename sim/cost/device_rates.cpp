#include "cost/device_rates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/error.hpp"
#include "model/weights.hpp"

namespace rehearse {

namespace {

// Of the units for numbers of 8 and of 4 bits; absent: it has none. Platform files that state one
// peak of 8 bits state it as that of FP8.
std::optional<FlopsPerSecond> narrow_peak(const Device& device, Dtype dtype) {
  const FlopsPerSecond peak = dtype == Dtype::kFp4    ? device.peak_fp4
                              : dtype == Dtype::kInt4 ? FlopsPerSecond{}
                              : dtype == Dtype::kInt8 && device.peak_int8.value > 0
                                  ? device.peak_int8
                                  : device.peak_fp8;
  return peak.value > 0 ? std::optional(peak) : std::nullopt;
}

const char* property_of(Dtype dtype) {
  return dtype == Dtype::kFp4 ? "peak_fp4" : dtype == Dtype::kInt8 ? "peak_int8" : "peak_fp8";
}

// Its peak before the efficiency, and the property that states it.
struct Peak {
  FlopsPerSecond value;
  const char* property;
};

Peak peak_of(const Device& device, Dtype dtype) {
  switch (dtype) {
    case Dtype::kBf16:
    case Dtype::kFp16:
      return {device.peak, "speed"};
    case Dtype::kFp8:
    case Dtype::kInt8:
    case Dtype::kFp4:
    case Dtype::kInt4:
      return {narrow_peak(device, dtype).value_or(device.peak), "speed"};
    case Dtype::kFp32:
      return {device.peak_fp32, "peak_fp32"};
  }
  throw InternalError("a dtype has no peak");
}

}  // namespace

namespace {

// Of narrow weights that are multiplied in 16 bits, each type once.
std::vector<std::string> unpacking_notes(const Model& model) {
  const Dtype wide = wide_dtype(model);
  std::vector<Dtype> unpacked;
  std::vector<std::string> notes;
  for (const PartStorage& rule : model.storage) {
    const Dtype dtype = rule.storage.dtype;
    const bool is_unpacked = bytes_per_element(dtype) < 2 && rule.storage.arithmetic == wide;
    if (!is_unpacked || std::find(unpacked.begin(), unpacked.end(), dtype) != unpacked.end()) {
      continue;
    }
    unpacked.push_back(dtype);
    notes.push_back(fmt::format("{} weights are unpacked to {} and multiplied there",
                                to_text(dtype), to_text(wide)));
  }
  return notes;
}

}  // namespace

std::vector<std::string> arithmetic_notes(const Model& model, const Platform& platform) {
  std::vector<std::string> notes = unpacking_notes(model);
  for (const Dtype dtype : arithmetics(model)) {
    if (bytes_per_element(dtype) >= 2) continue;
    const bool missing =
        std::any_of(platform.devices.begin(), platform.devices.end(),
                    [&](const Device& device) { return !narrow_peak(device, dtype); });
    if (!missing) continue;
    notes.push_back(fmt::format(
        "the platform states no {} for its GPUs: {} weights are unpacked and multiplied "
        "in 16 bits, at the peak of \"speed\"",
        property_of(dtype), to_text(dtype)));
  }
  return notes;
}

std::vector<std::string> notes_of(const Model& model, const Platform& platform) {
  std::vector<std::string> notes = model.notes;
  for (const std::string& note : arithmetic_notes(model, platform)) notes.push_back(note);
  return notes;
}

FlopsPerSecond usable_peak(const Platform& platform, const Device& device, Dtype dtype) {
  const Peak peak = peak_of(device, dtype);
  if (peak.value.value <= 0) {
    throw InputError({platform.path, 1, 1},
                     fmt::format("the model computes in {}, but its GPUs have no {}: add "
                                 "<prop id=\"{}\" value=\"...FLOPS\"/>",
                                 to_text(dtype), peak.property, peak.property));
  }
  return peak.value * device.compute_efficiency;
}

BytesPerSecond usable_bandwidth(const Device& device) {
  return device.memory_bandwidth * device.memory_efficiency;
}

namespace {

// Index in kOperatorRows.
consteval std::size_t index_of(std::string_view row) {
  for (std::size_t at = 0; at < kOperatorRowCount; ++at) {
    if (kOperatorRows[at].name == row) return at;
  }
  throw InternalError("no such row of operators");
}

// Of a matrix product, by what is stored, multiplied and scaled; behind that of bf16.
std::size_t type_of(const Work& work) {
  constexpr std::size_t kBf16 = index_of("gemm.bf16");
  const bool unpacked = bytes_per_element(work.computed) >= 2;
  switch (work.stored) {
    case Dtype::kFp32:
    case Dtype::kBf16:
    case Dtype::kFp16:
      return 0;
    case Dtype::kFp8:
      return (work.in_blocks       ? index_of("gemm.fp8_block")
              : work.static_scales ? index_of("gemm.fp8_static")
                                   : index_of("gemm.fp8")) -
             kBf16;
    case Dtype::kInt8:
      return index_of("gemm.int8") - kBf16;
    case Dtype::kFp4:
      return (unpacked                       ? index_of("gemm.mxfp4")
              : work.computed == Dtype::kFp8 ? index_of("gemm.mxfp4_fp8")
                                             : index_of("gemm.nvfp4")) -
             kBf16;
    case Dtype::kInt4:
      return index_of("gemm.int4") - kBf16;
  }
  throw InternalError("a dtype has no row of operators");
}

struct RowOf {
  const Work& work;
  std::size_t operator()(const Elementwise& shape) const {
    return shape.samples ? index_of("sampling") : index_of("elementwise");
  }
  std::size_t operator()(const HostStep& /*shape*/) const {
    throw InternalError("the host's time is an engine's, not a device's");
  }
  // No device has rows of it: what is read and written bounds it token by token, products in
  // chunks.
  std::size_t operator()(const StateScan& shape) const {
    return shape.decodes() ? index_of("elementwise") : index_of("attention_prefill");
  }
  std::size_t operator()(const Gemm& shape) const {
    return (shape.experts ? index_of("moe.bf16") : index_of("gemm.bf16")) + type_of(work);
  }
  std::size_t operator()(const AttentionScores& shape) const {
    if (shape.latent) return shape.decodes() ? index_of("mla_decode") : index_of("mla_prefill");
    return shape.decodes() ? index_of("attention_decode") : index_of("attention_prefill");
  }
};

// The row that stands in for one that a device does not have; itself: none does.
std::size_t stand_in(std::size_t row) {
  const std::string_view name = kOperatorRows[row].name;
  if (name == "moe.fp8_static") return index_of("moe.fp8");
  if (name.starts_with("moe.") && name != "moe.bf16") return index_of("moe.bf16");
  if (name.starts_with("mla_")) {
    return name == "mla_decode" ? index_of("attention_decode") : index_of("attention_prefill");
  }
  if (name == "sampling") return index_of("elementwise");
  return index_of("gemm.bf16");
}

OperatorCosts costs_of_row(const Device& device, std::size_t row) {
  const auto own = device.operators.find(kOperatorRows[row].name);
  if (own != device.operators.end()) return own->second;
  const std::size_t other = stand_in(row);
  if (other == row) {
    return {device.kernel_launch, device.compute_efficiency, device.memory_efficiency, {}, true};
  }
  OperatorCosts costs = costs_of_row(device, other);
  costs.assumed = true;
  return costs;
}

}  // namespace

std::string_view operator_row(const Work& work) {
  return kOperatorRows[std::visit(RowOf{work}, work.shape)].name;
}

std::size_t DeviceRates::row_of(const Work& work) { return std::visit(RowOf{work}, work.shape); }

DeviceRates::DeviceRates(const Platform& platform, const Device& device, const EngineTimes& engine)
    : platform_(&platform),
      device_(&device),
      bandwidth_(usable_bandwidth(device)),
      calibrated_(!device.operators.empty()),
      launch_(device.kernel_launch + engine.per_operator),
      engine_(engine) {
  for (std::size_t row = 0; row < kOperatorRowCount; ++row) {
    costs_[row] = costs_of_row(device, row);
    costs_[row].launch += engine.per_operator;
  }
  for (int index = 0; index < kDtypes; ++index) {
    const auto dtype = static_cast<Dtype>(index);
    peaks_[index] = peak_of(device, dtype).value * device.compute_efficiency;
    unpacks_[index] = bytes_per_element(dtype) >= 2 || !narrow_peak(device, dtype);
  }
}

std::vector<DeviceRates> device_rates(const Platform& platform, const EngineTimes& engine) {
  std::vector<DeviceRates> rates;
  rates.reserve(platform.devices.size());
  for (const Device& device : platform.devices) rates.emplace_back(platform, device, engine);
  return rates;
}

}  // namespace rehearse
