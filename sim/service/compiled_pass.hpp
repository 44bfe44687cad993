// The pass of one stage on one rank as its price needs it: compiled once for so many tokens and
// scored sequences, and refilled for other contexts of these, because of all that a pass does only
// attention depends on them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cost/cost_model.hpp"
#include "estimate/pass_paths.hpp"
#include "graph/workload_graph.hpp"
#include "model/model.hpp"
#include "program/pass_program.hpp"
#include "routing/expected_loads.hpp"

namespace rehearse {

// Where experts are not loaded evenly: whose pass it is, and how many tokens he brings.
struct ExpertsOfRank {
  const ExpectedLoads* loads = nullptr;  // nullptr: they are
  int member = 0;
  double tokens = 0;
};

class CompiledPass {
 public:
  // `model` and the devices outlive it. On several kinds of devices every operator takes what it
  // takes on the slowest. With `experts`, layers that have some are of a kind each.
  CompiledPass(const Model& model, const Layout& layout, const PassShape& shape,
               const std::vector<int>& kinds, std::vector<const DeviceRates*> devices,
               const ExpertsOfRank& experts = {});

  // Other contexts of as many tokens and sequences; a prefill stays one, and so does a decode.
  void refill(std::span<const Slice> slices);
  // Operators as they are at this step of a pass that grows.
  void set_step(double step);

  const PassProgram& program() const { return pass_; }
  const std::vector<Seconds>& times() const { return times_; }        // by instruction
  const std::vector<int>& executions() const { return executions_; }  // by instruction
  // Of an operator, on the device where it takes longest, as it is at the step.
  KernelTime kernel(int instruction) const;
  // Of a collective; finish() follows the last of them.
  void set_time(int collective, Seconds time) { times_[collective] = time; }
  void finish();

  Seconds computing() const;  // operators only, one after the other
  // On ranks that have nobody to wait for.
  Seconds alone() const;

 private:
  // Operators of an attention block that stands in the pass: of a layer, from its first on.
  struct Chain {
    int layer = 0;
    std::vector<int> instructions;
  };

  void load_experts(const ExpertsOfRank& experts, const PassShape& shape);
  void find_chains(const std::vector<std::string>& names, std::span<const Slice> slices, int first);
  void price(int instruction);
  void sum_steady();

  const Model& model_;
  const int tensor_;
  const std::vector<const DeviceRates*> devices_;
  PassProgram pass_;
  std::vector<Chain> chains_;
  std::vector<Seconds> times_;
  // By instruction that grows, for each device.
  struct Growing {
    int instruction = 0;
    std::vector<OperatorPrice> prices;
  };
  std::vector<Growing> growing_;
  std::vector<int> executions_;  // by instruction
  double step_ = 0;              // where the pass grows
  // Nothing overlaps: as long as all of it one behind the other.
  bool is_chain_ = false;
  Seconds steady_computing_;  // of what does not grow
  Seconds steady_;            // with collectives
};

}  // namespace rehearse
