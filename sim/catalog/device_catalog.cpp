#include "catalog/device_catalog.hpp"

#include <fmt/format.h>

#include "base/nearest_name.hpp"
#include "base/option_place.hpp"
#include "input/read_device.hpp"

namespace rehearse {

DeviceCatalog::DeviceCatalog(const std::vector<std::string>& folders)
    : files_({"devices", "device", "--devices"}, folders) {}

DeviceSheet DeviceCatalog::find(const std::string& name, const std::string& option) const {
  const std::string file = files_.find(name);
  if (!file.empty()) return read_device_sheet(file);
  throw InputError(option_place(option, name),
                   fmt::format("unknown GPU \"{}\": {}", name, suggestions(name, names())));
}

}  // namespace rehearse
