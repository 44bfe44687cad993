// The fabric of accelerators that are wired to their neighbours (topology torus of a device file):
// nothing else joins them.
#pragma once

#include <string>

#include "catalog/fabrics/fabric.hpp"
#include "devices/device_sheet.hpp"

namespace rehearse {

// The elements of the fabric, all GPUs one scale-up domain. Of `joined`: gpus, gpus_per_node and
// the figures. Throws InputError for a number of chips that makes no slice.
std::string write_own_torus(const DeviceSheet& sheet, const FabricRequest& joined);

}  // namespace rehearse
