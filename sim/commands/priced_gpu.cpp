#include "commands/priced_gpu.hpp"

#include "catalog/gpu_properties.hpp"
#include "cluster_xml/check_platform_xml.hpp"

namespace rehearse {

Device device_of(const std::string& name, const DeviceCatalog& catalog) {
  constexpr const char* kAlone =
      "<?xml version=\"1.0\"?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
      "<platform version=\"4.1\"><zone id=\"alone\" routing=\"Full\">"
      "<host id=\"gpu\" speed=\"1f\"/></zone></platform>\n";
  const std::string path = catalog.find(name).path;
  return check_platform_text(kAlone, path, {gpus_at("*=" + name, catalog)}).gpus.at(0).device;
}

}  // namespace rehearse
