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

ProgramCosts::ProgramCosts(const Program& program, const Platform& platform, const Device& device,
                           int& numbered)
    : run_of_(program.instructions.size(), -1) {
  costs_.reserve(program.instructions.size());
  for (const Instruction& at : program.instructions) {
    costs_.push_back(
        operator_cost(at.flops, at.bytes, device, usable_peak(platform, device, at.arithmetic)));
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
      run.grows = run.grows || costs_[at].compute_per_step.value != 0 ||
                  costs_[at].memory_per_step.value != 0;
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
    : programs_(programs), platform_(platform) {
  int runs = 0;
  costs_.reserve(platform.devices.size() * programs.programs.size());
  for (const Device& device : platform.devices) {
    for (const Program& program : programs.programs) {
      costs_.emplace_back(program, platform, device, runs);
    }
  }
}

ProgramCosts& RankCosts::of(Rank rank) {
  return costs_[device_of(rank) * programs_.programs.size() + programs_.ranks[rank].program];
}

Seconds RankCosts::routed(Rank rank, Dtype arithmetic, Flops flops, Bytes bytes) const {
  const Device& device = platform_.devices[device_of(rank)];
  return operator_cost({flops.value}, {bytes.value}, device,
                       usable_peak(platform_, device, arithmetic))
      .at(0);
}

}  // namespace rehearse
