#include "replay/rank_costs.hpp"

namespace rehearse {

RankCosts::RankCosts(const Programs& programs, const Platform& platform)
    : programs_(programs), platform_(platform) {
  costs_.reserve(platform.devices.size() * programs.programs.size());
  for (const Device& device : platform.devices) {
    const FlopsPerSecond peak = usable_peak(platform, device, programs.compute_dtype);
    peaks_.push_back(peak);
    for (const Program& program : programs.programs) {
      std::vector<OperatorCost>& table = costs_.emplace_back();
      table.reserve(program.instructions.size());
      for (const Instruction& at : program.instructions) {
        table.push_back(operator_cost(at.flops, at.bytes, device, peak));
      }
    }
  }
}

const std::vector<OperatorCost>& RankCosts::of(Rank rank) const {
  return costs_[device_of(rank) * programs_.programs.size() + programs_.ranks[rank].program];
}

Seconds RankCosts::routed(Rank rank, Flops flops, Bytes bytes) const {
  const std::size_t device = device_of(rank);
  return operator_cost({flops.value}, {bytes.value}, platform_.devices[device], peaks_[device])
      .at(0);
}

}  // namespace rehearse
