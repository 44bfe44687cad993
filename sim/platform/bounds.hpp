// The bounds of every quantity of a platform, in one table: for the reader of a file, and for
// `rehearse platform`, which must not write what the reader refuses.
#pragma once

#include <span>
#include <string>

#include "base/limits.hpp"

namespace rehearse {

// Links that SimGrid makes for one <cluster>.
constexpr double kMostClusterLinks = 8.0 * kMostGpus;

enum class PlatformQuantity {
  kBandwidth,  // of links, disks and memories, bytes/s
  kLatency,    // of links, s
  kSpeed,      // of any host, FLOP/s
  kPeak,       // of a GPU, FLOP/s
  kMemory,     // of a GPU, bytes
  kEfficiency,
  kLaunch,  // s
  kPrice,   // USD/h
  kPower,   // W
  kCores,
  kProtocolShare,  // of a link's or the memory's rate: the rate itself is a datasheet's
  kComputeUnits,   // of a GPU
};

// Far beyond what exists, and near enough that times, sums and quotients of them stay numbers.
struct QuantityBound {
  PlatformQuantity quantity;
  double least;
  const char* least_text;  // as a file says it
  double most;
  const char* most_text;
};
std::span<const QuantityBound> platform_bounds();

// "must be at least 1Bps", "must be at most 3600s"; empty: the value is within its bounds.
std::string out_of_bounds(PlatformQuantity quantity, double value);

}  // namespace rehearse
