// How long a rank's operators take on its device: looked up per device and program, worked out
// where the amounts depend on where tokens go.
#pragma once

#include <vector>

#include "cost/cost_model.hpp"
#include "platform/platform.hpp"
#include "program/program.hpp"

namespace rehearse {

// Operators that follow each other with nothing in between, at the step that was asked for last.
struct RunCost {
  int number = 0;  // over all devices and programs
  int step = -1;
  bool grows = false;         // with the step
  std::vector<Seconds> ends;  // by operator, counted from the start of the run
};

// What the operators of a program cost on a device.
class ProgramCosts {
 public:
  // `numbered`: runs of other programs and devices so far; counts on.
  ProgramCosts(const Program& program, const DeviceRates& device, int& numbered);

  // The run that begins with the instruction, a compute without a routed amount: it ends before a
  // wait, before anything else than a compute, after a sampling (whose end is a token's date), and
  // with its block.
  const RunCost& run(int instruction, int step) {
    RunCost& run = runs_[run_of_[instruction]];
    if (run.step != step && (run.grows || run.step < 0)) renew(run, instruction, step);
    return run;
  }

 private:
  void renew(RunCost& run, int instruction, int step) const;

  std::vector<OperatorPrice> costs_;  // by instruction
  std::vector<int> run_of_;           // by instruction that begins one
  std::vector<RunCost> runs_;
};

class RankCosts {
 public:
  RankCosts(const Programs& programs, const Platform& platform);

  ProgramCosts& of(Rank rank);
  Seconds routed(Rank rank, const Work& work, Flops flops, Bytes bytes) const;

 private:
  std::size_t device_of(Rank rank) const {
    return platform_.gpus[programs_.ranks[rank].gpu].device;
  }

  const Programs& programs_;
  const Platform& platform_;
  std::vector<DeviceRates> rates_;   // by device
  std::vector<ProgramCosts> costs_;  // by device x program
};

}  // namespace rehearse
