// What kernels reach of a device's peaks. An efficiency is applied once, here.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// Peak for matrix products of `dtype` x compute_efficiency. A device without units for numbers of 8
// or of 4 bits unpacks them to 16 bits and multiplies there, as the kernels for such weights do
// (Marlin, AWQ, GPTQ). Throws InputError (located at the platform file) when it has no peak for 32
// bits: guessing one would be a silent default.
FlopsPerSecond usable_peak(const Platform& platform, const Device& device, Dtype dtype);

// Memory bandwidth x memory_efficiency.
BytesPerSecond usable_bandwidth(const Device& device);

// These of one device, looked up once.
class DeviceRates {
 public:
  DeviceRates(const Platform& platform, const Device& device);

  // Throws InputError as usable_peak does.
  FlopsPerSecond peak(Dtype dtype) const {
    const FlopsPerSecond known = peaks_[static_cast<std::size_t>(dtype)];
    return known.value > 0 ? known : usable_peak(*platform_, *device_, dtype);
  }
  BytesPerSecond bandwidth() const { return bandwidth_; }
  Seconds launch() const { return launch_; }

 private:
  const Platform* platform_;
  const Device* device_;
  std::array<FlopsPerSecond, kDtypes> peaks_{};  // 0: none
  BytesPerSecond bandwidth_;
  Seconds launch_;
};

// By Platform::devices.
std::vector<DeviceRates> device_rates(const Platform& platform);

// A sentence for each kind of numbers that some of the platform's GPUs do not multiply as they are.
std::vector<std::string> arithmetic_notes(const Model& model, const Platform& platform);
// These, and before them what the model's own files leave open.
std::vector<std::string> notes_of(const Model& model, const Platform& platform);

}  // namespace rehearse
