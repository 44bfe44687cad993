#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "collectives/libraries/libraries.hpp"
#include "collectives/libraries/measured_costs.hpp"

namespace rehearse {
namespace {

constexpr std::array kLibraries = {
    &kTextbook,    &kNccl,         &kNcclGraphs,       &kRccl, &kHccl, &kTpu, &kVllm, &kSglang,
    &kTensorrtLlm, &kDeepepNormal, &kDeepepLowLatency,
};

// A way of the library for an algorithm that it does not have: as its first with Simple costs.
CollectiveWay foreign(const CollectiveAlgorithm& algorithm, const CollectiveWay& first) {
  CollectiveWay way = first;
  way.algorithm = &algorithm;
  return way;
}

}  // namespace

std::span<const CollectiveLibrary* const> collective_libraries() { return kLibraries; }

const CollectiveLibrary* library_named(std::string_view name) {
  for (const CollectiveLibrary* library : kLibraries) {
    if (library->name == name) return library;
  }
  return nullptr;
}

std::string names_of_libraries() {
  std::string names;
  for (const CollectiveLibrary* library : kLibraries) {
    if (!names.empty()) names += ' ';
    names += library->name;
  }
  return names;
}

const CollectiveLibrary& known_library(const std::string& name) {
  const CollectiveLibrary* const library = library_named(name);
  if (library != nullptr) return *library;
  throw std::invalid_argument("unknown library \"" + name +
                              "\": " + name_rule(name, names_of_libraries()));
}

std::string known_protocol(const std::string& name) {
  if (std::find(kProtocols.begin(), kProtocols.end(), name) != kProtocols.end()) return name;
  std::string known;
  for (const std::string_view each : kProtocols) known += " " + std::string(each);
  throw std::invalid_argument("unknown protocol \"" + name + "\": " + name_rule(name, known));
}

Seconds known_launch(const std::string& text) {
  const Seconds launch = parse_seconds(text);
  if (launch.value <= 1) return launch;
  throw std::invalid_argument("\"" + text + "\": must be at most 1s");
}

namespace {

// As far as the GPUs decide it.
bool runs_on(const CollectiveLibrary& library, const Device& device) {
  GroupMachine machine;
  machine.device = &device;
  return library.refusal(machine).empty();
}

}  // namespace

const CollectiveLibrary& library_of(const CollectiveUse& use, const Device& device) {
  if (use.library != nullptr) return *use.library;
  if (use.preferred != nullptr && runs_on(*use.preferred, device)) return *use.preferred;
  if (device.vendor == "amd") return kRccl;
  if (device.vendor == "intel") return kHccl;
  return device.vendor == "google" ? kTpu : kNccl;
}

Seconds host_launch(const CollectiveLibrary& library, const Device& device) {
  const bool by_call = &library == &kNccl || &library == &kRccl || &library == &kHccl;
  if (!by_call) return {};
  return costs_of(device, "nccl.host_launch").launch.value_or(Seconds{});
}

const CollectiveLibrary& textbook_library() { return kTextbook; }

std::vector<CollectiveWay> ways_of(const CollectiveUse& use, CollectiveOp op,
                                   const Communicator& communicator) {
  const CollectiveAlgorithm* const named = use.algorithms[static_cast<int>(op)];
  std::vector<CollectiveWay> ways = communicator.ways(op);
  SIM_CHECK(!ways.empty(), std::string("no algorithm serves ") + to_text(op));
  if (named != nullptr) {
    const auto simple = std::find_if(ways.begin(), ways.end(), [](const CollectiveWay& way) {
      return way.protocol == "simple";
    });
    const CollectiveWay first = simple != ways.end() ? *simple : ways.front();
    std::erase_if(ways, [&](const CollectiveWay& way) { return way.algorithm != named; });
    if (ways.empty()) ways.push_back(foreign(*named, first));
  }
  if (!use.protocol.empty()) {
    const auto other = [&](const CollectiveWay& way) { return way.protocol != use.protocol; };
    if (!std::all_of(ways.begin(), ways.end(), other)) std::erase_if(ways, other);
  }
  for (CollectiveWay& way : ways) {
    if (use.channels > 0) way.channels = use.channels;
  }
  return ways;
}

}  // namespace rehearse
