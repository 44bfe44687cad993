#include "estimate/least_times.hpp"

#include <algorithm>
#include <limits>

#include "routing/token_routing.hpp"

namespace rehearse {
namespace {

constexpr Seconds kForever{std::numeric_limits<double>::infinity()};

// Amounts of which nobody knows yet how many copies they are for: the least. Those of uniform
// routing, which the instruction has, are those of the group's mean rank; of what its weights are
// read is unknown.
bool follows_copies(const PassProgram& pass, const Instruction& instruction, Spread spread) {
  if (spread == Spread::kEven || instruction.routed < 0) return false;
  const bool compute = instruction.kind == Instruction::Kind::kCompute;
  const bool sent = pass.routed[instruction.routed].amounts.of == Copies::kSent;
  // Every rank has what it sends itself.
  return !(compute && sent && spread == Spread::kCounted);
}

double least_copies(const RoutedAmounts& routed, const Instruction& compute, Spread spread) {
  if (spread != Spread::kCounted || routed.flops_per_copy.value <= 0) return 0;
  return compute.flops.base / routed.flops_per_copy.value;
}

// On the best of several devices. Of the group's ranks, those without copies launch nothing.
Seconds best(const std::vector<OperatorPrice>& prices, bool of_group, int step) {
  Seconds least = kForever;
  for (const OperatorPrice& price : prices) {
    least = std::min(least, of_group ? price.without_launch_at(step) : price.at(step));
  }
  return least;
}

}  // namespace

Spread spread_of(const Plan& plan, const Model& model) {
  if (!routes_tokens(plan, model)) return Spread::kEven;
  bool beside = model.moe->shared_experts > 0;  // what runs while tokens are on the way
  for (const LayerRun& run : layer_runs(model, 0, model.layers)) {
    beside = beside || (run.kind.experts && run.kind.dense != LayerKind::kNone);
  }
  return plan.capacity.limited || beside ? Spread::kUnknown : Spread::kCounted;
}

LeastTimes::LeastTimes(const PassProgram& pass, const PassConditions& conditions,
                       const TransferTimes& transfers)
    : times_(pass.instructions.size()) {
  works_.reserve(pass.routed.size());
  auto transfer = conditions.transfers.begin();
  for (std::size_t at = 0; at < times_.size(); ++at) {
    const Instruction& instruction = pass.instructions[at];
    if (instruction.kind == Instruction::Kind::kCompute) {
      price(static_cast<int>(at), pass, conditions);
    } else if (instruction.kind == Instruction::Kind::kCollective &&
               transfer != conditions.transfers.end()) {
      const bool dispatch = instruction.axis == Axis::kExpert && !instruction.fan_out.back;
      const Bytes bytes{instruction.bytes.base * (dispatch ? conditions.dispatch_share : 1)};
      const bool known = !follows_copies(pass, instruction, conditions.spread);
      if (known && bytes.value > 0) times_[at] = transfers.time(*transfer, bytes);
      ++transfer;
    }
  }
}

void LeastTimes::price(int at, const PassProgram& pass, const PassConditions& conditions) {
  const Instruction& compute = pass.instructions[at];
  const bool of_group = follows_copies(pass, compute, conditions.spread);
  const Work* work = &pass.work_of(compute);
  Amount flops = compute.flops;
  Amount bytes = compute.bytes;
  if (of_group) {
    const RoutedAmounts& routed = pass.routed[compute.routed].amounts;
    const double copies = least_copies(routed, compute, conditions.spread);
    work = &works_.emplace_back(with_rows(*work, copies, std::min(copies, 1.0)));
    flops = {copies * routed.flops_per_copy.value, 0};
    bytes = {copies * routed.bytes_per_copy.value, 0};
  }
  const std::vector<const DeviceRates*>& devices =
      of_group ? conditions.of_group : conditions.devices;
  Growing priced{at, of_group, {}};
  priced.prices.reserve(devices.size());
  for (const DeviceRates* device : devices) {
    priced.prices.emplace_back(cost_model(*device).least, *work, flops, bytes, *device);
  }
  times_[at] = best(priced.prices, of_group, 0);
  if (priced.prices.front().grows()) growing_.push_back(std::move(priced));
}

const std::vector<Seconds>& LeastTimes::at(int step) {
  for (const Growing& each : growing_) {
    times_[each.instruction] = best(each.prices, each.of_group, step);
  }
  return times_;
}

}  // namespace rehearse
