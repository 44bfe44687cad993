#include "service/step_terms.hpp"

#include <algorithm>
#include <variant>

#include "service/pass_price.hpp"

namespace rehearse {
namespace {

StepPart part_of(const Work& work, const KernelTime& time) {
  const bool computes = time.compute > time.memory;
  if (std::holds_alternative<Gemm>(work.shape)) {
    return computes ? StepPart::kProducts : StepPart::kWeights;
  }
  if (std::holds_alternative<AttentionScores>(work.shape) ||
      std::holds_alternative<StateScan>(work.shape)) {
    return computes ? StepPart::kAttention : StepPart::kCache;
  }
  return std::holds_alternative<HostStep>(work.shape) ? StepPart::kHost : StepPart::kOther;
}

}  // namespace

const char* to_text(StepPart part) {
  static constexpr std::array<const char*, kStepParts> kNames = {
      "products, reading weights",
      "products, multiplying",
      "attention, reading keys and values",
      "attention, scoring",
      "norms, activations, routing, sampling",
      "launches of kernels",
      "collectives of tensor ranks",
      "dispatch to experts and return",
      "waiting for slower ranks",
      "drafts by the model's prediction",
      "messages between stages",
      "host"};
  return kNames[static_cast<std::size_t>(part)];
}

StepTerms& StepTerms::operator+=(const StepTerms& other) {
  for (std::size_t at = 0; at < parts.size(); ++at) parts[at] += other.parts[at];
  return *this;
}

Seconds StepTerms::sum() const {
  Seconds sum;
  for (const Seconds part : parts) sum += part;
  return sum;
}

StepTerms terms_of(const CompiledPass& pass) {
  StepTerms terms;
  const std::vector<Instruction>& instructions = pass.program().instructions;
  for (std::size_t at = 0; at < instructions.size(); ++at) {
    const Instruction& instruction = instructions[at];
    const double executions = pass.executions()[at];
    const Seconds whole = pass.times()[at] * executions;
    if (instruction.kind == Instruction::Kind::kCompute) {
      const KernelTime time = pass.kernel(static_cast<int>(at));
      const Work& work = pass.program().work_of(instruction);
      const bool launches = !std::holds_alternative<HostStep>(work.shape);
      const Seconds launch = launches ? std::min(time.launch * executions, whole) : Seconds{};
      terms[StepPart::kLaunches] += launch;
      terms[part_of(work, time)] += whole - launch;
    } else if (instruction.kind == Instruction::Kind::kCollective) {
      const bool experts = instruction.axis == Axis::kExpert;
      terms[experts ? StepPart::kExpert : StepPart::kTensor] += whole;
    }
  }
  return terms;
}

void PassPrice::explain(const CompiledPass& pass, Seconds longest) {
  if (explains_ && pass.computing() >= longest) longest_ = terms_of(pass);
}

StepTerms PassPrice::terms(std::span<const serving::StepShape> ranks) {
  StepTerms all;
  for (int stage = 0; stage < plan_.layout.pipeline; ++stage) {
    explains_ = true;
    longest_ = {};
    const Seconds whole = pass(ranks, stage).whole;
    explains_ = false;
    StepTerms terms = longest_;
    terms[StepPart::kWaits] = whole - terms.sum();
    if (stage == 0) terms[StepPart::kHost] += host_time(ranks);
    if (drafts_ > 0 && stage + 1 == plan_.layout.pipeline) {
      terms[StepPart::kDrafts] = drafts(ranks).whole;
    }
    if (plan_.layout.pipeline > 1) {
      terms[StepPart::kStages] = serving::to_seconds(message(ranks, stage));
    }
    all += terms;
  }
  return all;
}

}  // namespace rehearse
