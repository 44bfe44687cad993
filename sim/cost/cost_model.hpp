// How long an operator takes on a device. One model per file in models/, a line in its table: the
// device's numbers decide which prices its operators.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "cost/device_rates.hpp"
#include "model/work.hpp"

namespace rehearse {

// What an operator does at one step: its amounts, beside the shape that they come from.
struct OperatorLoad {
  const Work& work;
  double step = 0;  // of the shape's amounts that grow
  Flops flops;
  Bytes bytes;
};

// The parts stay with the total, so that a report can explain it.
struct KernelTime {
  Seconds total;
  Seconds launch;   // before anything is computed or moved
  Seconds compute;  // had it nothing but this to do
  Seconds memory;
  // What runs beside what it computes: all that it moves, or a part of it and what else a model
  // knows; and how the two overlap: wholly, so that the longer one counts, or as the root of the
  // sum of their squares.
  Seconds beside;
  bool overlaps_wholly = true;

  // Both, if it computed for so long.
  Seconds together(Seconds computing) const {
    if (overlaps_wholly) return std::max(computing, beside);
    return Seconds{std::hypot(computing.value, beside.value)};
  }
};

// Its time where others hold `taken` of the device's compute units: what it computes takes units /
// (units - taken) times as long, what it moves does not. One unit at least is left to it. `units`
// of 0 are not known: nothing changes.
//
// A share of the units is what a kernel loses that spreads over those that are left: grouped
// products that are told of them (DeepGEMM's set_num_sms), attention. Products of a library that is
// not lose whole waves; platforms/measured/README.md, "SMs taken", compares the rules. Kernels
// bound by memory notice nothing of up to 24 idle units there.
Seconds time_beside(const KernelTime& time, int units, int taken);

// What most of it is: "compute", "memory", or "launch", which stands for all that neither of them
// explains.
const char* bound_of(const KernelTime& time);

// An operator without work launches nothing and takes no time.
struct CostModel {
  const char* name;
  bool (*prices)(const DeviceRates& device);  // whether the device has the numbers that it needs
  KernelTime (*time)(const OperatorLoad& load, const DeviceRates& device);
  // Never above `time`, and never falling when the work grows: the search's bound adds these up for
  // the least amounts that a candidate can have.
  KernelTime (*least)(const OperatorLoad& load, const DeviceRates& device);
};

std::span<const CostModel* const> cost_models();
// That which prices the device's operators: the first of the table that can.
const CostModel& cost_model(const DeviceRates& device);

// An operator with amounts that may grow, on one device: its time at any step.
class OperatorPrice {
 public:
  using TimeOf = KernelTime (*)(const OperatorLoad&, const DeviceRates&);

  OperatorPrice() = default;  // of nothing
  // `work` and `device` outlive it.
  OperatorPrice(TimeOf time, const Work& work, const Amount& flops, const Amount& bytes,
                const DeviceRates& device)
      : time_(time), work_(&work), device_(&device), flops_(flops), bytes_(bytes) {
    first_ = time_at(0);
  }

  bool grows() const { return flops_.grows() || bytes_.grows(); }
  Seconds at(double step) const { return grows() ? time_at(step).total : first_.total; }
  Seconds without_launch_at(double step) const {
    const KernelTime time = grows() ? time_at(step) : first_;
    return time.total - time.launch;
  }
  const KernelTime& first() const { return first_; }  // at step 0
  KernelTime kernel_at(double step) const { return grows() ? time_at(step) : first_; }

 private:
  KernelTime time_at(double step) const {
    return time_({*work_, step, Flops{flops_.at(step)}, Bytes{bytes_.at(step)}}, *device_);
  }

  TimeOf time_ = nullptr;
  const Work* work_ = nullptr;
  const DeviceRates* device_ = nullptr;
  Amount flops_;
  Amount bytes_;
  KernelTime first_;
};

}  // namespace rehearse
