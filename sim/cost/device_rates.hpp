// What kernels reach of a device's peaks. An efficiency is applied once, here or in a cost model.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "model/work.hpp"
#include "platform/engine_times.hpp"
#include "platform/operator_costs.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// Peak for matrix products of `dtype` x compute_efficiency. A device without units for numbers of 8
// or of 4 bits unpacks them to 16 bits and multiplies there, as the kernels for such weights do
// (Marlin, AWQ, GPTQ). Throws InputError (located at the platform file) when it has no peak for 32
// bits: guessing one would be a silent default.
FlopsPerSecond usable_peak(const Platform& platform, const Device& device, Dtype dtype);

// Memory bandwidth x memory_efficiency.
BytesPerSecond usable_bandwidth(const Device& device);

// The row of kOperatorRows that says what such work reaches: "gemm.fp8_block".
std::string_view operator_row(const Work& work);

// These of one device, looked up once, and what the engine adds.
class DeviceRates {
 public:
  DeviceRates(const Platform& platform, const Device& device, const EngineTimes& engine = {});

  // Throws InputError as usable_peak does.
  FlopsPerSecond peak(Dtype dtype) const {
    const FlopsPerSecond known = peaks_[static_cast<std::size_t>(dtype)];
    return known.value > 0 ? known : usable_peak(*platform_, *device_, dtype);
  }
  // The same before the efficiency.
  FlopsPerSecond full_peak(Dtype dtype) const { return peak(dtype) / device_->compute_efficiency; }
  BytesPerSecond bandwidth() const { return bandwidth_; }
  // Of a step's host.
  Seconds host(const HostStep& step) const {
    return engine_.per_step + engine_.per_request * step.requests;
  }
  BytesPerSecond full_bandwidth() const { return device_->memory_bandwidth; }
  // Whether such numbers are multiplied in 16 bits, because they have more or because the device
  // has no units for them.
  bool unpacks(Dtype dtype) const { return unpacks_[static_cast<std::size_t>(dtype)]; }
  int compute_units() const { return device_->compute_units; }  // 0: unknown

  // Whether the platform says what kernels of a kind reach; if not, compute_efficiency,
  // memory_efficiency and kernel_launch are all there is.
  bool is_calibrated() const { return calibrated_; }
  // REQUIRES: is_calibrated(). A kind without a row has that of its 16 bits, or of the kind that it
  // is a variant of, or the device's general constants.
  const OperatorCosts& costs_of(const Work& work) const { return costs_[row_of(work)]; }
  // Before such work computes or moves anything.
  Seconds launch_of(const Work& work) const {
    if (const auto* const step = std::get_if<HostStep>(&work.shape)) return host(*step);
    return calibrated_ ? costs_of(work).launch : launch_;
  }

 private:
  static std::size_t row_of(const Work& work);

  const Platform* platform_;
  const Device* device_;
  std::array<FlopsPerSecond, kDtypes> peaks_{};  // 0: none
  std::array<bool, kDtypes> unpacks_{};
  BytesPerSecond bandwidth_;
  bool calibrated_ = false;
  Seconds launch_;
  EngineTimes engine_;
  std::array<OperatorCosts, kOperatorRowCount> costs_;
};

// By Platform::devices.
std::vector<DeviceRates> device_rates(const Platform& platform, const EngineTimes& engine = {});

// A sentence for each kind of numbers that some of the platform's GPUs do not multiply as they are.
std::vector<std::string> arithmetic_notes(const Model& model, const Platform& platform);
// These, and before them what the model's own files leave open.
std::vector<std::string> notes_of(const Model& model, const Platform& platform);

}  // namespace rehearse
