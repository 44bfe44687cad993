#include "metrics/run_accuracy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <variant>
#include <vector>

#include "collectives/library.hpp"
#include "cost/device_rates.hpp"
#include "model/attention_kind.hpp"
#include "program/lower.hpp"

namespace rehearse {
namespace {

using Devices = std::vector<const Device*>;

Devices devices_of(const Platform& platform, const Programs& programs) {
  std::vector<bool> used(platform.devices.size());
  for (const RankEntry& rank : programs.ranks) used[platform.gpus[rank.gpu].device] = true;
  Devices devices;
  for (std::size_t at = 0; at < used.size(); ++at) {
    if (used[at]) devices.push_back(&platform.devices[at]);
  }
  return devices;
}

// Whether the first ranks that step together are in several scale-up domains. Data-parallel ranks
// of a dense model do not.
bool spans_servers(const Plan& plan, const Model& model, const Platform& platform,
                   const Programs& programs) {
  const int together = plan.layout.gpus() / (model.moe ? 1 : plan.layout.data);
  const auto ranks = std::min(programs.ranks.size(), static_cast<std::size_t>(together));
  const auto domain = [&](std::size_t rank) {
    return platform.gpus[programs.ranks[rank].gpu].domain;
  };
  for (std::size_t rank = 1; rank < ranks; ++rank) {
    if (domain(rank) != domain(0)) return true;
  }
  return false;
}

// What no published row that is scored is like; empty: there are such.
std::string beyond(const Plan& plan, const Model& model, const Devices& devices,
                   bool spans_servers) {
  const auto unknown = [](const Device* device) { return device->gpu.empty(); };
  if (std::ranges::any_of(devices, unknown)) return "its GPUs are none of the catalogue";
  if (plan.serve) {
    const bool scored = pooled_error("serving_tpot." + plan.serve->engine.name, true) != nullptr;
    if (plan.serve->pools) return "no published run with prefill and decode apart is scored";
    if (!scored) return "no published run of that engine with requests that arrive is scored";
    if (plan.serve->engine.speculative) return "no published run that drafts is scored";
    if (!plan.engine.name.empty() && plan.engine.name != plan.serve->engine.name) {
      return "no published run has the scheduler of one engine and the kernels of another";
    }
    if (spans_servers) return "no published run of a replica over several servers is scored";
    return {};
  }
  if (model.moe) return "its model is a mixture of experts";
  for (const Attention& each : model.attention) {
    if (std::holds_alternative<GroupedQuery>(each.kind)) continue;
    return fmt::format("no model with {} attention was measured", name_of(each));
  }
  return {};
}

enum class Provenance : std::uint8_t { kMeasured, kDatasheet, kAssumed };

Provenance of_kernels(const Device& device, const Platform& platform, const Programs& programs) {
  const DeviceRates rates(platform, device);
  if (!rates.is_calibrated()) return Provenance::kDatasheet;
  const auto assumed = [&](const Work& work) {
    return !std::holds_alternative<HostStep>(work.shape) && rates.costs_of(work).assumed;
  };
  const bool any = std::ranges::any_of(programs.passes, [&](const PassProgram& pass) {
    return std::ranges::any_of(pass.works, assumed);
  });
  return any ? Provenance::kAssumed : Provenance::kMeasured;
}

// By the rows of the library: "nccl.ring.ll"; textbook's links are the datasheet's.
Provenance of_collectives(const Device& device, const CollectiveUse& use) {
  const CollectiveLibrary& library = library_of(use, device);
  if (&library == &textbook_library()) return Provenance::kDatasheet;
  const auto measured = [&](const auto& row) {
    const std::string_view owner = std::string_view(row.first).substr(0, row.first.find('.'));
    return library.name.starts_with(owner) && !row.second.assumed;
  };
  return std::ranges::any_of(device.collectives, measured) ? Provenance::kMeasured
                                                           : Provenance::kAssumed;
}

const ExpectedError* larger(const ExpectedError* a, const ExpectedError* b) {
  return a == nullptr || (b != nullptr && b->median > a->median) ? b : a;
}

// The engine's, or of all static batches where its rows are so few that nobody has seen the worst
// tenth of them: an engine's constant is fitted to them, too.
const ExpectedError* error_of(const Plan& plan, const Device& device) {
  constexpr int kFewestWithATenth = 10;
  const ExpectedError* own = nullptr;
  if (!plan.engine.name.empty()) {
    own = expected_error("static." + plan.engine.name, device.gpu, device.vendor);
  }
  const bool enough = own != nullptr && own->rows >= kFewestWithATenth;
  return enough ? own : expected_error("static", device.gpu, device.vendor);
}

// Of every kind of GPU the plan runs on there has to be one of its vendor among the rows.
std::string without_rows(const Plan& plan, const Devices& devices) {
  const std::string family = plan.serve ? "serving_tpot." + plan.serve->engine.name : "static";
  for (const Device* device : devices) {
    if (expected_error(family, device->gpu, device->vendor) != nullptr) continue;
    return fmt::format("no published run{} on {} or another GPU of {} is scored",
                       plan.serve ? " of " + plan.serve->engine.name : "", device->gpu,
                       device->vendor.empty() ? "its vendor" : device->vendor);
  }
  return {};
}

// "b300, v100": those that none of the rows has, whose vendor's others they are.
std::string kinds_without_rows(std::string_view family, const Devices& devices) {
  std::string names;
  for (const Device* device : devices) {
    if (has_rows(family, device->gpu)) continue;
    names += (names.empty() ? "" : ", ") + device->gpu;
  }
  return names;
}

}  // namespace

RunAccuracy accuracy_of(const Plan& plan, const Model& model, const Platform& platform,
                        const Programs& programs) {
  constexpr std::array<const char*, 3> kNames = {"measured", "datasheet", "assumed"};
  const Devices devices = devices_of(platform, programs);
  RunAccuracy accuracy;
  Provenance weakest = Provenance::kMeasured;
  for (const Device* device : devices) {
    weakest = std::max(weakest, of_kernels(*device, platform, programs));
    if (plan.layout.gpus() > 1) {
      weakest = std::max(weakest, of_collectives(*device, collective_use(plan)));
    }
  }
  accuracy.provenance = kNames[static_cast<std::size_t>(weakest)];
  accuracy.beyond = beyond(plan, model, devices, spans_servers(plan, model, platform, programs));
  if (accuracy.beyond.empty()) accuracy.beyond = without_rows(plan, devices);
  if (!accuracy.beyond.empty()) return accuracy;
  for (const Device* device : devices) {
    if (!plan.serve) {
      accuracy.error = larger(accuracy.error, error_of(plan, *device));
      continue;
    }
    const std::string& engine = plan.serve->engine.name;
    const auto of = [&](const char* quantity) {
      return expected_error(quantity + engine, device->gpu, device->vendor);
    };
    accuracy.error = larger(accuracy.error, of("serving_tpot."));
    accuracy.ttft = larger(accuracy.ttft, of("serving_ttft."));
  }
  accuracy.unseen = kinds_without_rows(accuracy.error->family, devices);
  return accuracy;
}

std::string to_text(const RunAccuracy& accuracy) {
  if (accuracy.error == nullptr) {
    return fmt::format("expected error of times: not known, nobody has compared: {}; constants {}",
                       accuracy.beyond, accuracy.provenance);
  }
  const auto one = [](const ExpectedError& error, const char* of, const char* rows) {
    return fmt::format("{}: {:.0f} %, P90 {:.0f} % ({} published {}, {})", of, 100 * error.median,
                       100 * error.p90, error.rows, rows, error.family);
  };
  const bool served = accuracy.ttft != nullptr;
  std::string text = "expected error of ";
  text += one(*accuracy.error, served ? "TPOT" : "times", served ? "runs" : "static batches");
  if (served) text += ", of " + one(*accuracy.ttft, "TTFT", "runs");
  if (!accuracy.unseen.empty()) text += "; none of them on " + accuracy.unseen;
  return text + "; constants " + accuracy.provenance;
}

}  // namespace rehearse
