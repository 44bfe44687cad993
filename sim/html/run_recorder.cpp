#include "html/run_recorder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "program/rank_copies.hpp"
#include "trace/event_text.hpp"

namespace rehearse {
namespace {

// As kMostSlices: timelines of 1,024 ranks, and 131,072 memory levels of 16 bytes unless 1,024
// ranks need 128 intervals each.
constexpr int kMostShown = 1024;
constexpr std::size_t kMemoryCells = 1U << 17;
constexpr std::size_t kIntervals = 512;
constexpr std::size_t kFewestIntervals = 128;

}  // namespace

void RunRecorder::begin(const Programs& programs) {
  programs_ = &programs;
  alike_replicas_ = programs.alike_replicas();
  choose_rows(programs);
  times_.begin(programs);
  totals_.resize(programs.passes.size() * kPhases.size());
  for (const Program& program : programs.programs) infos_.push_back(info_of(programs, program));

  const auto recorded =
      static_cast<std::size_t>(*std::max_element(recorded_of_.begin(), recorded_of_.end()) + 1);
  slices_.emplace(recorded * kStreams, std::max(most_slices_, 4 * recorded * kStreams));
  const std::size_t intervals =
      std::clamp(kMemoryCells / recorded, kFewestIntervals, kIntervals) & ~1U;
  memory_.emplace(recorded, intervals);
  activity_.emplace(1 + 2 * kAxes, kIntervals);
}

void RunRecorder::choose_rows(const Programs& programs) {
  const RankCopies copies(programs);
  ranks_ = copies.size();
  const int stride = (ranks_ + kMostShown - 1) / kMostShown;
  recorded_of_.assign(programs.ranks.size(), -1);
  std::int32_t recorded = 0;
  for (Rank rank = 0; rank < ranks_; rank += stride) {
    shown_.push_back(rank);
    shown_names_.push_back(describe_rank(programs, copies, rank));
    images_.push_back(copies.image_of(rank));
    std::int32_t& at = recorded_of_[images_.back()];
    if (at < 0) at = recorded++;
  }
}

std::vector<RunRecorder::ActionInfo> RunRecorder::info_of(const Programs& programs,
                                                          const Program& program) {
  std::vector<ActionInfo> infos;
  Phase phase{};
  std::int32_t micro_batch = -1;
  for (const Action& action : program.actions) {
    const PassProgram& pass = programs.pass_of(action);
    if (pass.is_pass) {
      phase = action.phase;
      micro_batch = action.micro_batch;
    }
    const std::size_t index =
        static_cast<std::size_t>(action.pass) * kPhases.size() + static_cast<std::size_t>(phase);
    infos.push_back({index, micro_batch});
    if (!totals_[index].empty()) continue;
    for (const Instruction& instruction : pass.instructions) {
      totals_[index].push_back(total_of(programs, instruction, phase));
    }
  }
  return infos;
}

std::uint16_t RunRecorder::total_of(const Programs& programs, const Instruction& instruction,
                                    Phase phase) {
  OperatorTotal total;
  const std::string name =
      instruction.name < 0 ? std::string("unnamed") : programs.name_of(instruction);
  const auto known = std::find(operator_names_.begin(), operator_names_.end(), name);
  total.name = static_cast<std::uint16_t>(known - operator_names_.begin());
  if (known == operator_names_.end()) operator_names_.push_back(name);
  total.phase = phase;
  total.communication = instruction.kind != Instruction::Kind::kCompute;
  total.axis = total.communication ? instruction.axis : Axis::kCount;
  total.op_class = instruction.op_class;
  const auto same =
      std::find_if(operators_.begin(), operators_.end(), [&total](const OperatorTotal& each) {
        return each.name == total.name && each.phase == total.phase &&
               each.communication == total.communication && each.axis == total.axis &&
               (each.communication || each.op_class == total.op_class);
      });
  if (same != operators_.end()) return static_cast<std::uint16_t>(same - operators_.begin());
  operators_.push_back(total);
  SIM_CHECK(operators_.size() <= UINT16_MAX, "more kinds of operators than a model has");
  return static_cast<std::uint16_t>(operators_.size() - 1);
}

void RunRecorder::span(const Span& span) {
  const RankEntry& entry = programs_->ranks[span.rank];
  const Instruction& instruction = instruction_of(*programs_, span);
  const ActionInfo& info = infos_[entry.program][span.action];
  const std::uint16_t index = totals_[info.totals][span.instruction];
  OperatorTotal& total = operators_[index];
  const double busy = (span.end - span.start).value;
  double amount = 0;
  total.busy_s += busy;
  ++total.spans;
  if (total.communication) {
    amount = sent(*programs_, span, instruction).value;
    total.bytes += amount;
    const int axis = static_cast<int>(instruction.axis);
    activity_->add(1 + axis, span.start, span.end, busy);
    activity_->add(1 + kAxes + axis, span.start, span.end, amount);
  } else {
    amount = flops_of(span, instruction).value;
    total.flops += amount;
    total.bytes += bytes_of(span, instruction).value;
    times_.add_operator(span);
    activity_->add(0, span.start, span.end, busy);
  }
  if (recorded_of_[span.rank] < 0) return;
  TimelineSlice slice;
  slice.start = span.start.value;
  slice.end = span.end.value;
  slice.amount = static_cast<float>(amount);
  const Seconds wait = total.communication ? span.start - span.ready : span.stall;
  slice.wait = static_cast<float>(std::max(0.0, wait.value));
  slice.layer = static_cast<decltype(slice.layer)>(span.layer);
  slice.operator_index = index;
  show(span.rank, instruction.stream, info, span.step, slice);
}

// As many spans, the sums over time of all of them together: nothing lies between them.
void RunRecorder::operators(const OperatorRun& run) {
  const ActionInfo& info = infos_[programs_->ranks[run.rank].program][run.action];
  const std::vector<std::uint16_t>& totals = totals_[info.totals];
  times_.add_operators(run);
  activity_->add(0, run.start, run.end(), run.duration().value);
  const bool recorded = recorded_of_[run.rank] >= 0;
  TimelineSlice slice;
  slice.end = run.start.value;
  slice.wait = static_cast<float>(std::max(0.0, run.stall.value));
  Cursor cursor = run.first;
  for (int i = 0; i < run.count; ++i, run.pass->advance(cursor)) {
    const Instruction& instruction = run.pass->instructions[cursor.at];
    OperatorTotal& total = operators_[totals[cursor.at]];
    slice.start = slice.end;
    slice.end = (run.start + run.ends[i]).value;
    const double flops = instruction.flops.at(run.step);
    total.busy_s += slice.end - slice.start;
    ++total.spans;
    total.flops += flops;
    total.bytes += instruction.bytes.at(run.step);
    if (!recorded) continue;
    slice.amount = static_cast<float>(flops);
    slice.layer = static_cast<decltype(slice.layer)>(run.called->layer(run.pass->layer_at(cursor)));
    slice.operator_index = totals[cursor.at];
    show(run.rank, Stream::kCompute, info, run.step, slice);
    slice.wait = 0;
  }
}

// REQUIRES: the rank is recorded.
void RunRecorder::show(Rank rank, Stream stream, const ActionInfo& info, double step,
                       TimelineSlice slice) {
  slice.busy = slice.longest = static_cast<float>(slice.end - slice.start);
  slice.micro_batch = info.micro_batch;
  slice.step = static_cast<std::int32_t>(step);
  slices_->add(
      static_cast<std::size_t>(recorded_of_[rank]) * kStreams + static_cast<std::size_t>(stream),
      slice);
}

void RunRecorder::memory(const MemoryLevel& level) {
  const std::int32_t recorded = recorded_of_[level.rank];
  if (recorded >= 0) memory_->add(static_cast<std::size_t>(recorded), level);
}

void RunRecorder::link_flow(const LinkFlow& flow) {
  constexpr int kMostLinks = 8192;
  if (flow.link >= kMostLinks) return;
  while (flow.link >= static_cast<int>(link_bytes_.rows())) link_bytes_.add_row();
  link_bytes_.add(flow.link, flow.start, flow.end, flow.carried.value);
}

void RunRecorder::routing(const RoutingTotals& totals) {
  for (std::size_t layer = 0; layer < totals.expert_loads.size(); ++layer) {
    const std::vector<double>& loads = totals.expert_loads[layer];
    if (loads.empty()) continue;  // a layer without experts
    experts_.layers.push_back(static_cast<int>(layer));
    experts_.experts = static_cast<int>(loads.size());
    experts_.copies.insert(experts_.copies.end(), loads.begin(), loads.end());
  }
}

void RunRecorder::end(Seconds makespan) {
  makespan_ = makespan.value;
  activity_->scale(alike_replicas_);
  for (OperatorTotal& each : operators_) {
    each.busy_s *= alike_replicas_;
    each.flops *= alike_replicas_;
    each.bytes *= alike_replicas_;
    each.spans *= alike_replicas_;
  }
  times_.end(makespan);
  memory_->end(makespan);
  slices_->finish();
}

}  // namespace rehearse
