// A device file as the properties that a platform file has of a GPU.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/device_catalog.hpp"
#include "platform/gpus_at.hpp"

namespace rehearse {

// SimGrid's unit of a speed: "989Tf" for "989TFLOPS".
std::string speed_of(const DeviceSheet& sheet);

struct GpuCosts {
  std::optional<double> usd_per_hour;   // absent: the device file's
  bool own_nics = true;                 // the network is of the device's own NICs
  std::optional<double> network_share;  // absent: the device file's, with its own NICs
};
// Id and value, in the order of a written file; as the device file says them. What it does not say
// is left out.
using GpuProperties = std::vector<std::pair<std::string, std::string>>;
// `scale_up`: what joins the GPUs of a domain, which may be less than the device file's.
GpuProperties gpu_properties(const DeviceSheet& sheet, std::optional<ScaleUpTopology> scale_up,
                             const GpuCosts& costs);

// "CUDA*=h100", as --gpu-at has it. Throws InputError there.
GpusAt gpus_at(const std::string& typed, const DeviceCatalog& catalog);

}  // namespace rehearse
