#include "service/compiled_pass.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "model/attention_kind.hpp"
#include "program/compile_pass.hpp"

namespace rehearse {

CompiledPass::CompiledPass(const Model& model, const Layout& layout, const PassShape& shape,
                           const std::vector<int>& kinds, std::vector<const DeviceRates*> devices,
                           const ExpertsOfRank& experts)
    : model_(model), tensor_(layout.tensor), devices_(std::move(devices)) {
  std::vector<std::string> texts;
  Names names(texts);
  PassParts parts;
  parts.routed = experts.loads != nullptr;
  pass_ = compile_pass(model, layout, shape, kinds, parts, names);
  if (parts.routed) load_experts(experts, shape);
  times_.resize(pass_.instructions.size());
  executions_.resize(pass_.instructions.size());
  for (const Place& place : pass_.places) {
    for (int at = place.begin; at < place.end; ++at) executions_[at] += place.repeat;
  }
  for (int at = 0; at < static_cast<int>(times_.size()); ++at) price(at);
  if (!shape.grows) find_chains(texts, shape.slices, shape.layers.first);
  sum_steady();
}

// As the replay does it with the copies that it has counted.
void CompiledPass::load_experts(const ExpertsOfRank& experts, const PassShape& shape) {
  const ExpectedLoads& loads = *experts.loads;
  for (const Place& place : pass_.places) {
    const int layer = shape.layers.first + place.layer;
    for (int at = place.begin; at < place.end; ++at) {
      Instruction& instruction = pass_.instructions[at];
      if (instruction.routed < 0) continue;
      SIM_CHECK(place.repeat == 1, "layers with experts of unlike loads are unlike");
      const RoutedAmounts& amounts = pass_.routed[instruction.routed].amounts;
      const double copies = amounts.of == Copies::kSent
                                ? experts.tokens * loads.top_k()
                                : shape.group_tokens * loads.share(layer, experts.member);
      const double touched = loads.touched(layer, experts.member, shape.group_tokens);
      instruction.flops = {(amounts.flops_per_copy * copies).value, 0};
      instruction.bytes = {(amounts.fixed_bytes + amounts.bytes_per_copy * copies +
                            amounts.bytes_per_expert * touched)
                               .value,
                           0};
      if (instruction.kind == Instruction::Kind::kCompute) {
        pass_.works[instruction.work] = with_rows(pass_.work_of(instruction), copies, touched);
      }
    }
  }
}

// An attention block's operators follow each other in the order of its kind's, with norms and
// collectives in between.
void CompiledPass::find_chains(const std::vector<std::string>& names, std::span<const Slice> slices,
                               int first) {
  std::set<int> seen;
  for (const Place& place : pass_.places) {
    if (place.layer < 0 || !seen.insert(place.begin).second) continue;
    const int layer = first + place.layer;
    if (model_.kind_of(layer).attention == LayerKind::kNone) continue;
    Chain chain{layer, {}};
    int at = place.begin;
    const AttentionKind& kind = kind_of(model_.attention_of(layer));
    for (const NamedOperator& each : kind.operators(model_, layer, {slices}, tensor_)) {
      const auto is_it = [&](int instruction) {
        const Instruction& its = pass_.instructions[instruction];
        return its.kind == Instruction::Kind::kCompute && its.name >= 0 &&
               names[its.name] == each.name;
      };
      while (at < place.end && !is_it(at)) ++at;
      SIM_CHECK(at < place.end, "an operator of attention is missing in its layer");
      chain.instructions.push_back(at++);
    }
    chains_.push_back(std::move(chain));
  }
}

void CompiledPass::price(int at) {
  const Instruction& compute = pass_.instructions[at];
  if (compute.kind != Instruction::Kind::kCompute) return;
  Growing priced{at, {}};
  times_[at] = {};
  for (const DeviceRates* device : devices_) {
    const OperatorPrice price(cost_model(*device).time, pass_.work_of(compute), compute.flops,
                              compute.bytes, *device);
    times_[at] = std::max(times_[at], price.first().total);
    if (price.grows()) priced.prices.push_back(price);
  }
  if (!priced.prices.empty()) growing_.push_back(std::move(priced));
}

void CompiledPass::refill(std::span<const Slice> slices) {
  for (const Chain& chain : chains_) {
    const AttentionKind& kind = kind_of(model_.attention_of(chain.layer));
    const std::vector<NamedOperator> operators =
        kind.operators(model_, chain.layer, {slices}, tensor_);
    SIM_CHECK(operators.size() == chain.instructions.size(),
              "attention has other operators for other contexts");
    for (std::size_t at = 0; at < operators.size(); ++at) {
      const Operator& op = operators[at].op;
      Instruction& instruction = pass_.instructions[chain.instructions[at]];
      pass_.works[instruction.work] = op.work;
      instruction.flops = op.flops();
      instruction.bytes = op.bytes();
      price(chain.instructions[at]);
    }
  }
  sum_steady();
}

KernelTime CompiledPass::kernel(int at) const {
  const Instruction& compute = pass_.instructions[at];
  KernelTime slowest;
  for (const DeviceRates* device : devices_) {
    const OperatorPrice price(cost_model(*device).time, pass_.work_of(compute), compute.flops,
                              compute.bytes, *device);
    const KernelTime time = price.kernel_at(step_);
    if (time.total >= slowest.total) slowest = time;
  }
  return slowest;
}

void CompiledPass::set_step(double step) {
  step_ = step;
  for (const Growing& each : growing_) {
    Seconds& time = times_[each.instruction] = {};
    for (const OperatorPrice& price : each.prices) time = std::max(time, price.at(step));
  }
}

// Whether anything overlaps does not depend on how long things take: if all take as long, the whole
// takes less than their sum where something does.
void CompiledPass::finish() {
  std::vector<Seconds> ones(times_.size());
  double count = 0;
  for (std::size_t at = 0; at < ones.size(); ++at) {
    const Instruction::Kind kind = pass_.instructions[at].kind;
    if (kind == Instruction::Kind::kSend || kind == Instruction::Kind::kReceive) continue;
    ones[at] = Seconds{1};
    count += executions_[at];
  }
  const PassProgram* const program = &pass_;
  const std::span<const Seconds> times = ones;
  is_chain_ = execute_together({&program, 1}, {&times, 1}).value == count;
  sum_steady();
}

void CompiledPass::sum_steady() {
  std::vector<bool> grows(times_.size());
  for (const Growing& each : growing_) grows[each.instruction] = true;
  steady_ = steady_computing_ = {};
  for (std::size_t at = 0; at < times_.size(); ++at) {
    if (grows[at]) continue;
    const Seconds time = times_[at] * executions_[at];
    steady_ += time;
    if (pass_.instructions[at].kind == Instruction::Kind::kCompute) steady_computing_ += time;
  }
}

Seconds CompiledPass::computing() const {
  Seconds sum = steady_computing_;
  for (const Growing& each : growing_) {
    sum += times_[each.instruction] * executions_[each.instruction];
  }
  return sum;
}

Seconds CompiledPass::alone() const {
  if (is_chain_) return computing() + (steady_ - steady_computing_);
  const PassProgram* const program = &pass_;
  const std::span<const Seconds> times = times_;
  return execute_together({&program, 1}, {&times, 1});
}

}  // namespace rehearse
