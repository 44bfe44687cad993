#include "replay/rank_costs.hpp"

namespace rehearse {
namespace {

bool in_runs(const Instruction& instruction) {
  return instruction.kind == Instruction::Kind::kCompute && instruction.routed < 0;
}

bool goes_on_with(const Instruction& before, const Instruction& next) {
  return in_runs(before) && in_runs(next) && before.op_class != OperatorClass::kSampling &&
         next.waits[0] < 0;
}

}  // namespace

ProgramCosts::ProgramCosts(const Program& program, const DeviceRates& device, int& numbered)
    : run_of_(program.instructions.size(), -1) {
  costs_.reserve(program.instructions.size());
  for (const Instruction& at : program.instructions) {
    OperatorPrice& price = costs_.emplace_back();
    if (at.kind != Instruction::Kind::kCompute) continue;
    price = OperatorPrice(cost_model().time, program.work_of(at), at.flops, at.bytes, device);
  }
  for (const Block& block : program.blocks) {
    for (int at = block.begin; at < block.end; ++at) {
      const Instruction& instruction = program.instructions[at];
      if (!in_runs(instruction)) continue;
      if (at == block.begin || !goes_on_with(program.instructions[at - 1], instruction)) {
        run_of_[at] = static_cast<int>(runs_.size());
        runs_.push_back({.number = numbered++, .ends = {}});
      }
      RunCost& run = runs_.back();
      run.ends.emplace_back();
      run.grows = run.grows || costs_[at].grows();
    }
  }
}

void ProgramCosts::renew(RunCost& run, int instruction, int step) const {
  run.step = step;
  Seconds end;
  for (std::size_t at = 0; at < run.ends.size(); ++at) {
    end += costs_[instruction + at].at(step);
    run.ends[at] = end;
  }
}

RankCosts::RankCosts(const Programs& programs, const Platform& platform)
    : programs_(programs), platform_(platform), rates_(device_rates(platform)) {
  int runs = 0;
  costs_.reserve(platform.devices.size() * programs.programs.size());
  for (const DeviceRates& device : rates_) {
    for (const Program& program : programs.programs) {
      costs_.emplace_back(program, device, runs);
    }
  }
}

ProgramCosts& RankCosts::of(Rank rank) {
  return costs_[device_of(rank) * programs_.programs.size() + programs_.ranks[rank].program];
}

Seconds RankCosts::routed(Rank rank, const Work& work, Flops flops, Bytes bytes) const {
  return cost_model().time({work, 0, flops, bytes}, rates_[device_of(rank)]).total;
}

}  // namespace rehearse
