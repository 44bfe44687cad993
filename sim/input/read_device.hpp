// Device files: workloads/schema/device.proto.
#pragma once

#include <string>

#include "devices/device_sheet.hpp"
#include "input/source_text.hpp"

namespace rehearse {

// Checked (check_sheet), and named as its file. Throws InputError (file:line:col) for the first
// mistake.
DeviceSheet read_device_sheet(const std::string& path);
DeviceSheet parse_device_sheet(const SourceText& source);

}  // namespace rehearse
