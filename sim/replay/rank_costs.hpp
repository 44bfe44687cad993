// How long operators take on a device: looked up per device and pass, worked out where the amounts
// depend on where tokens go.
#pragma once

#include <cstdint>
#include <vector>

#include "cost/cost_model.hpp"
#include "platform/platform.hpp"
#include "program/program.hpp"

namespace rehearse {

// Operators that follow each other with nothing in between, also over layers, at the step that was
// asked for last.
struct RunCost {
  int number = 0;  // over all devices and passes
  double step = -1;
  bool grows = false;                      // with the step
  std::vector<Seconds> ends;               // by operator, counted from the start of the run
  std::vector<std::int32_t> instructions;  // of the pass, by operator
  Cursor first;  // where it was found first; it is the same wherever it is asked for
  Cursor after;

  // Where one that began at `cursor` ends.
  Cursor after_from(const Cursor& cursor) const {
    Cursor end = after;
    if (end.place == first.place) end.repetition += cursor.repetition - first.repetition;
    return end;
  }
};

// What the operators of a pass cost on a device.
class PassCosts {
 public:
  // `numbered`: runs of other passes and devices so far; counts on.
  PassCosts(const PassProgram& pass, const DeviceRates& device, int& numbered);

  // The run that begins at the cursor, at a compute without a routed amount: it ends before a wait,
  // before anything else than a compute, after a sampling (whose end is a token's date), and with
  // the pass. The host's time is a run of its own.
  const RunCost& run(const Cursor& cursor, double step) {
    const bool last = cursor.repetition + 1 == pass_->places[cursor.place].repeat;
    RunCost& run = runs_[(last ? in_last_ : in_inner_)[index_of(cursor.place, cursor.at)]];
    if (run.step != step && (run.grows || run.step < 0)) renew(run, step);
    return run;
  }

  // Of one operator without a routed amount.
  KernelTime kernel(int instruction, double step) const {
    return costs_[instruction].kernel_at(step);
  }

 private:
  void find_runs(int place, int repetition, int& numbered);
  int add_run(const Cursor& first, int& numbered);
  void renew(RunCost& run, double step);

  // What an instruction takes at the step that was asked for last: layers that are alike ask once.
  struct Timed {
    double step = -1;
    Seconds time;
  };
  Seconds time_of(int instruction, double step);

  const PassProgram* pass_;
  std::vector<OperatorPrice> costs_;  // by instruction
  std::vector<Timed> timed_;          // by instruction
  // Of an instruction at a place: layers that take turns stand at several, and behind each follows
  // something else.
  int index_of(int place, int at) const {
    return first_index_[place] + at - pass_->places[place].begin;
  }

  std::vector<int> first_index_;  // by place
  // By index of the instruction that begins one: in the last repetition of its place, and in the
  // others.
  std::vector<int> in_last_;
  std::vector<int> in_inner_;
  std::vector<RunCost> runs_;
};

class RankCosts {
 public:
  RankCosts(const Programs& programs, const Platform& platform);

  // By index in Programs::passes; programs without a pass have none.
  PassCosts* of(Rank rank) { return costs_.data() + device_of(rank) * programs_.passes.size(); }
  KernelTime routed(Rank rank, const Work& work, Flops flops, Bytes bytes) const;

 private:
  std::size_t device_of(Rank rank) const {
    return platform_.gpus[programs_.ranks[rank].gpu].device;
  }

  const Programs& programs_;
  const Platform& platform_;
  std::vector<DeviceRates> rates_;        // by device
  std::vector<const CostModel*> models_;  // by device
  std::vector<PassCosts> costs_;          // by device x pass
};

}  // namespace rehearse
