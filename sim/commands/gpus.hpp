// `rehearse gpus`: the device catalogue, and the check of a device file.
#pragma once

#include <string>
#include <vector>

#include "base/table.hpp"
#include "catalog/device_catalog.hpp"

namespace rehearse {

// All sheets of the catalogue, in the order of the alphabet.
std::vector<DeviceSheet> list_gpus(const DeviceCatalog& catalog);

// A line for each: its name first, then the figures that one compares.
std::string gpus_text(const std::vector<DeviceSheet>& sheets);
// Every number of one, with unit, kind, source and date.
std::string gpu_text(const DeviceSheet& sheet);

// {"gpus": [...]}, of each what gpu_json has.
std::string gpus_json(const std::vector<DeviceSheet>& sheets);
std::string gpu_json(const DeviceSheet& sheet);

// A row for each, all its figures in SI units; of one, a row for each number.
Table gpus_rows(const std::vector<DeviceSheet>& sheets);
Table gpu_rows(const DeviceSheet& sheet);

// Reads and checks the file. What it states, in a line; throws InputError at its first mistake.
std::string check_gpu_file(const std::string& path);

}  // namespace rehearse
