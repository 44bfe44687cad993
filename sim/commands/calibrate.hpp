// `rehearse calibrate ROWS.csv`: measured times of a GPU's kernels -> a device file with constants
// of its own.
#pragma once

#include <string>
#include <vector>

namespace rehearse {

struct CalibrateOptions {
  std::string rows;  // CSV: the columns of `rehearse operator --batch`, and measured_us
  std::string gpu;   // --gpu: the device file that is changed
  std::string name;  // --name: of the new one; empty: as the old
  std::string date;  // --date: when it was measured, as a device file says it
  std::vector<std::string> devices;  // --devices
  std::string out;                   // --out: the file to write; empty: none
};

struct Calibration {
  std::string report;  // what improved, by row of constants
  std::string file;    // the text of the device file
};

// Throws InputError at the table's line: a row without measured_us, one that cannot be priced, two
// rows of one kernel whose times are more than a factor of 1.5 apart.
Calibration calibrate(const CalibrateOptions& options);

// The whole command: the report; the file is written, checked as the catalogue will read it.
std::string calibrate_command_text(const CalibrateOptions& options);

}  // namespace rehearse
