// The GPUs one can order: the device files that come with the program (platforms/devices), and
// those of the user's own folders.
#pragma once

#include <string>
#include <vector>

#include "devices/device_sheet.hpp"
#include "input/program_files.hpp"

namespace rehearse {

class DeviceCatalog {
 public:
  // The program's own files and those of `folders` (--devices), of which a later one wins over an
  // earlier one and over the program's. Throws InputError for a folder that cannot be read or has
  // no device file.
  explicit DeviceCatalog(const std::vector<std::string>& folders = {});

  // In the order of the alphabet.
  std::vector<std::string> names() const { return files_.names(); }
  // Throws InputError at `option` with the known names, or at the file's first mistake.
  DeviceSheet find(const std::string& name, const std::string& option = "--gpu") const;

  // Which files took another's place, in sentences.
  const std::vector<std::string>& notes() const { return files_.notes(); }

 private:
  ProgramFiles files_;
};

}  // namespace rehearse
