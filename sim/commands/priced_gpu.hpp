// A GPU of the catalogue alone, to price kernels on.
#pragma once

#include <string>
#include <utility>

#include "catalog/device_catalog.hpp"
#include "cost/cost_model.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// As a platform file of it has it. Throws InputError.
Device device_of(const std::string& name, const DeviceCatalog& catalog);

class PricedGpu {
 public:
  // `path`: of the file that says what it can do.
  explicit PricedGpu(Device device, std::string path = {})
      : platform_(platform_of(std::move(device), std::move(path))),
        rates_(platform_, platform_.devices.front()) {}
  PricedGpu(const PricedGpu&) = delete;
  PricedGpu& operator=(const PricedGpu&) = delete;

  const DeviceRates& rates() const { return rates_; }
  const std::string& vendor() const { return platform_.devices.front().vendor; }

 private:
  static Platform platform_of(Device device, std::string path) {
    Platform platform;
    platform.path = std::move(path);
    platform.devices.push_back(std::move(device));
    return platform;
  }

  const Platform platform_;
  const DeviceRates rates_;
};

}  // namespace rehearse
