#include "catalog/device_catalog.hpp"

#include "base/option_place.hpp"
#include "input/read_device.hpp"

namespace rehearse {

DeviceCatalog::DeviceCatalog(const std::vector<std::string>& folders)
    : files_({"devices", "device", "--devices"}, folders) {}

DeviceSheet DeviceCatalog::find(const std::string& name, const std::string& option) const {
  const auto found = files_.files().find(name);
  if (found != files_.files().end()) return read_device_sheet(found->second);
  std::string known;
  for (const auto& [each, file] : files_.files()) known += " " + each;
  throw InputError(option_place(option, name), "unknown GPU: it is one of" + known);
}

}  // namespace rehearse
