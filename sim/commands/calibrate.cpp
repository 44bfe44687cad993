// The rows are priced as `rehearse operator` prices them; each row of constants that they need is
// fitted to its own. Kernels that others are made of come first: a mixture of experts has
// element-wise ones, which are not measured with it.
#include "commands/calibrate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/output_file.hpp"
#include "base/split.hpp"
#include "catalog/device_catalog.hpp"
#include "commands/operator_rows.hpp"
#include "commands/priced_gpu.hpp"
#include "cost/fit_costs.hpp"
#include "input/read_device.hpp"

namespace rehearse {
namespace {

constexpr double kContradiction = 1.5;  // of two times of one kernel

std::string row_of(const OperatorRow& row) { return std::string(operator_row(row.main().work)); }

// Element-wise kernels first.
bool comes_before(const std::string& row, const std::string& other) {
  const auto order = [](const std::string& name) {
    return std::pair(name != "elementwise" && name != "sampling", name);
  };
  return order(row) < order(other);
}

void check_rows(const OperatorBatch& batch, const std::string& gpu) {
  if (batch.rows.empty()) throw InputError({"rehearse calibrate", 1, 1}, "the table has no row");
  std::map<std::string, const OperatorRow*> seen;
  for (const OperatorRow& row : batch.rows) {
    if (!row.reason.empty()) throw InputError(row.where, row.reason);
    if (!row.measured) throw InputError(row.where, "measured_us is empty: it is what is fitted to");
    if (row.gpu != gpu) {
      throw InputError(row.where,
                       fmt::format("gpu = \"{}\": a table is of one GPU, --gpu {}", row.gpu, gpu));
    }
    std::string kernels = row.kind;
    for (const PricedKernel& kernel : row.kernels) {
      kernels += fmt::format(" {} {} {}", operator_row(kernel.work), flops_of(kernel.work).base,
                             kernel.bytes.value);
    }
    const auto [known, is_new] = seen.emplace(kernels, &row);
    if (is_new) continue;
    const double apart = *row.measured / *known->second->measured;
    if (std::max(apart, 1 / apart) <= kContradiction) continue;
    throw InputError(row.where,
                     fmt::format("{} contradicts line {}: the same kernel took {} there, more than "
                                 "a factor of {} apart",
                                 to_text(*row.measured), known->second->where.line,
                                 to_text(*known->second->measured), kContradiction));
  }
}

struct Anchors {
  std::vector<CostAnchor> anchors;
  OperatorCosts before;
  OperatorCosts after;
};

class Calibrator {
 public:
  Calibrator(const OperatorBatch& batch, Device device) : batch_(batch), gpu_(std::move(device)) {}

  // In the order in which they were fitted.
  std::vector<std::pair<std::string, Anchors>> run() {
    std::vector<std::string> names;
    names.reserve(batch_.rows.size());
    for (const OperatorRow& row : batch_.rows) names.push_back(row_of(row));
    std::sort(names.begin(), names.end(), comes_before);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::vector<std::pair<std::string, Anchors>> fitted;
    fitted.reserve(names.size());
    for (const std::string& name : names) fitted.emplace_back(name, fit(name));
    return fitted;
  }

 private:
  Anchors fit(const std::string& name) {
    Anchors found;
    const PricedGpu gpu(gpu_);
    for (const OperatorRow& row : batch_.rows) {
      if (row_of(row) != name) continue;
      CostAnchor& anchor = found.anchors.emplace_back();
      anchor.measured = *row.measured;
      for (const PricedKernel& kernel : row.kernels) {
        if (operator_row(kernel.work) == name) {
          anchor.demands.push_back(demand_of(kernel.load(), gpu.rates()));
          found.before = gpu.rates().costs_of(kernel.work);
        } else {
          anchor.others += cost_model(gpu.rates()).time(kernel.load(), gpu.rates()).total;
        }
      }
    }
    found.after = fit_costs(found.before, found.anchors);
    gpu_.operators[name] = found.after;
    return found;
  }

  const OperatorBatch& batch_;
  Device gpu_;
};

double median_error(const Anchors& of, const OperatorCosts& costs) {
  std::vector<double> errors;
  errors.reserve(of.anchors.size());
  for (const CostAnchor& anchor : of.anchors) {
    errors.push_back(std::abs(predicted(anchor, costs) / anchor.measured - 1));
  }
  std::sort(errors.begin(), errors.end());
  const std::size_t middle = errors.size() / 2;
  return errors.size() % 2 == 1 ? errors[middle] : (errors[middle - 1] + errors[middle]) / 2;
}

std::string numbers_of(const OperatorCosts& costs) {
  std::string text = fmt::format("launch: \"{:.3g}us\" compute: \"{:.3g}\" memory: \"{:.3g}\"",
                                 costs.launch.value * 1e6, costs.compute, costs.memory);
  if (costs.depth.value > 0) text += fmt::format(" depth: \"{:.3g}ns\"", costs.depth.value * 1e9);
  return text;
}

std::string report_of(const std::vector<std::pair<std::string, Anchors>>& fitted) {
  std::string text =
      "row                 times  median error before  after   launch      compute        memory\n";
  for (const auto& [name, anchors] : fitted) {
    const OperatorCosts& was = anchors.before;
    const OperatorCosts& is = anchors.after;
    text += fmt::format(
        "{:<18} {:>6}  {:>17.1f} %  {:>4.1f} %   {:.3g} -> {:.3g} us  {:.3g} -> {:.3g}  {:.3g} -> "
        "{:.3g}\n",
        name, anchors.anchors.size(), 100 * median_error(anchors, was),
        100 * median_error(anchors, is), was.launch.value * 1e6, is.launch.value * 1e6, was.compute,
        is.compute, was.memory, is.memory);
  }
  return text;
}

// The file's lines, but for its name and the rows that were fitted.
std::string file_of(const DeviceSheet& sheet, const CalibrateOptions& options,
                    const std::vector<std::pair<std::string, Anchors>>& fitted) {
  constexpr const char* kKey = "calibrated";
  std::string text;
  std::string rows;
  bool assumed = false;
  std::string guesses;
  for (const auto& [name, anchors] : fitted) {
    rows += fmt::format(
        "operators {{ of: \"{}\" {} kind: measured source: \"{}\" note: \"fit to {} times\" }}\n",
        name, numbers_of(anchors.after), kKey, anchors.anchors.size());
  }
  bool sourced = false;
  for (const std::string& line : split(read_file(sheet.path, "a device"), '\n')) {
    const bool replaced = std::any_of(fitted.begin(), fitted.end(), [&](const auto& each) {
      return line.starts_with(fmt::format("operators {{ of: \"{}\"", each.first));
    });
    if (replaced || line.starts_with(fmt::format("source {{ key: \"{}\"", kKey))) continue;
    if (line.starts_with("source {") && !std::exchange(sourced, true)) {
      text +=
          fmt::format("source {{ key: \"{}\" text: \"rehearse calibrate on {}\" date: \"{}\" }}\n",
                      kKey, std::filesystem::path(options.rows).filename().string(), options.date);
    }
    if (line.starts_with("guesses: ")) {
      guesses = line + "\n";
      continue;
    }
    assumed = assumed || line.find("kind: assumed") != std::string::npos;
    text += line.starts_with("name: ") ? fmt::format("name: \"{}\"", options.name) : line;
    text += '\n';
  }
  while (text.ends_with("\n\n")) text.pop_back();
  return text + rows + (assumed ? guesses : "");
}

}  // namespace

Calibration calibrate(const CalibrateOptions& options) {
  const DeviceCatalog catalog(options.devices);
  const DeviceSheet sheet = catalog.find(options.gpu);
  const OperatorBatch batch = read_operator_batch(read_source(options.rows, "a table of kernels"));
  check_rows(batch, options.gpu);
  const auto fitted = Calibrator(batch, device_of(options.gpu, catalog)).run();
  CalibrateOptions named = options;
  if (named.name.empty()) named.name = sheet.name;
  return {report_of(fitted), file_of(sheet, named, fitted)};
}

std::string calibrate_command_text(const CalibrateOptions& options) {
  const Calibration found = calibrate(options);
  if (!options.out.empty()) {
    parse_device_sheet(source_of(options.out, found.file, "a device"));
    write_file(options.out, found.file);
  }
  return found.report;
}

}  // namespace rehearse
