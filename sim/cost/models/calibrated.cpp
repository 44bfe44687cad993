// launch + sqrt(compute^2 + memory^2 + depth^2), with the shares of the peaks that kernels of the
// kind were measured to reach (the device's rows of operators, written by tools/fit).
//
// A kernel overlaps what it computes with what it moves, but not wholly: near the roofline's edge
// it takes longer than either, and the root of the squares is the smoothest thing that does. It has
// no constant of its own, and only grows.
//
// What the amounts of an operator do not show, and times do:
// - a block of a matrix product walks along its sum step by step: few columns with long sums wait
//   for that, however little they are (depth);
// - activations are brought to 8 or 4 bits by kernels of their own, before the product, where the
//   device multiplies them so;
// - experts round their tokens up to a tile: as if each had kPadding more;
// - the last tile of queries walks over all of its sequence's keys while other units are idle;
// - keys and values are read in whole pages.
#include "cost/models/calibrated.hpp"

#include <algorithm>
#include <cmath>

#include "cost/models/models.hpp"

namespace rehearse {
namespace {

// Rows more that an expert computes: half of a tile of 32. Assumed, not fitted: kernels choose
// between tiles of 16 to 128 rows by their own tables.
constexpr double kPadding = 16;
// Queries in a tile of FlashAttention's kernels (Dao 2023, arXiv:2307.08691, 3.1: blocks of 128).
constexpr double kQueryTile = 128;
// Tokens that the split decode kernels read at once. Assumed, not fitted: kernels divide a sequence
// into tiles of 64 to 256 keys.
constexpr double kPage = 128;

// For an element of the activations, in kernels before the product. It is counted in 16 bits with
// the product's own bytes, once; where a scale is found as it goes: read for the largest, read once
// more and written; of a block the largest is at hand; and read by the product in its own type. Of
// a scale that was known before, what wrote the element quantised it.
double bytes_of_scaling(const Work& work, const DeviceRates& device) {
  if (device.unpacks(work.computed) || work.static_scales) return 0;
  constexpr double kWide = 2;
  const double narrow = bytes_per_element(work.computed);
  const bool whole = work.computed == Dtype::kFp8 && !work.in_blocks;
  return (whole ? 2 * kWide : kWide) + 2 * narrow - kWide;
}

struct DemandOf {
  const OperatorLoad& load;
  const DeviceRates& device;
  bool least;

  OperatorDemand moved(Bytes bytes) const {
    OperatorDemand demand;
    demand.memory_s = (bytes / device.full_bandwidth()).value;
    return demand;
  }
  double computed(Flops flops) const {
    return flops.value > 0 ? (flops / device.full_peak(load.work.computed)).value : 0;
  }

  OperatorDemand operator()(const Elementwise&) const { return moved(load.bytes); }
  OperatorDemand operator()(const HostStep&) const { return {}; }
  OperatorDemand operator()(const StateScan&) const {
    OperatorDemand demand = moved(load.bytes);
    demand.compute_s = computed(load.flops);
    return demand;
  }

  OperatorDemand operator()(const Gemm& gemm) const {
    OperatorDemand demand = moved(load.bytes);
    Flops flops = load.flops;
    if (gemm.experts) {
      if (!least) flops += Flops{2 * kPadding * gemm.groups * gemm.n * gemm.k};
    } else if (load.flops.value > 0) {
      demand.depth = gemm.k;
      const Bytes scaling{bytes_of_scaling(load.work, device) * gemm.m * gemm.k};
      demand.before_s = (scaling / device.full_bandwidth()).value;
    }
    demand.compute_s = computed(flops);
    return demand;
  }

  OperatorDemand operator()(const AttentionScores& scores) const {
    const double cached = scores.cached.at(load.step) / std::max(scores.sequences, 1.0);
    const double queries = scores.tokens / std::max(scores.sequences, 1.0);
    const double keys = cached + queries;
    const double key_bytes =
        bytes_per_element(load.work.stored) * scores.kv_heads *
        (scores.key_dimensions + (scores.latent ? 0 : scores.value_dimensions));
    const bool pages = scores.decodes() && !least;
    const double unread = pages ? std::ceil(keys / kPage) * kPage - keys : 0;
    OperatorDemand demand = moved(load.bytes + Bytes{unread * key_bytes * scores.sequences});
    demand.compute_s = computed(load.flops);
    if (!least && !scores.decodes() && device.compute_units() > 0) {
      const double pair = 2 * (scores.key_products * scores.key_dimensions +
                               scores.value_products * scores.value_dimensions);
      const Flops longest{pair * std::min(kQueryTile, queries) * keys * device.compute_units()};
      demand.compute_s = std::hypot(demand.compute_s, computed(longest));
    }
    return demand;
  }
};

KernelTime price(const OperatorLoad& load, const DeviceRates& device, bool least) {
  if (const auto known = without_kernel(load, device)) return *known;
  return time_of(std::visit(DemandOf{load, device, least}, load.work.shape),
                 device.costs_of(load.work));
}

KernelTime time(const OperatorLoad& load, const DeviceRates& device) {
  return price(load, device, false);
}

KernelTime least_time(const OperatorLoad& load, const DeviceRates& device) {
  return price(load, device, true);
}

}  // namespace

OperatorDemand demand_of(const OperatorLoad& load, const DeviceRates& device) {
  return std::visit(DemandOf{load, device, false}, load.work.shape);
}

KernelTime time_of(const OperatorDemand& demand, const OperatorCosts& costs) {
  KernelTime time;
  time.launch = costs.launch;
  time.compute = Seconds{demand.compute_s / costs.compute};
  const Seconds before{demand.before_s / costs.memory};
  const Seconds memory{demand.memory_s / costs.memory};
  time.memory = before + memory;
  time.beside = Seconds{std::hypot(memory.value, demand.depth * costs.depth.value)};
  time.overlaps_wholly = false;
  time.total = time.launch + before + time.together(time.compute);
  return time;
}

const CostModel kCalibrated = {"calibrated",
                               [](const DeviceRates& device) { return device.is_calibrated(); },
                               time, least_time};

}  // namespace rehearse
