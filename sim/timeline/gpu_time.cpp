#include "timeline/gpu_time.hpp"

#include <algorithm>
#include <numeric>

namespace rehearse {
namespace {

// By GpuTimeKind.
constexpr GpuTimeWord kWords[] = {
    {"compute", "compute", "utilization.compute_busy_fraction",
     "it executes operators, their launch included"},
    {"network", "network", "communication.exposed_fraction",
     "its next operator waits for a transfer that is under way, the transfer's launch included"},
    {"peer_wait", "slower peer", "communication.peer_wait_fraction",
     "its next operator waits for a collective that has not started, because another member is "
     "late"},
    {"bubble", "pipeline bubble", "utilization.bubble_fraction",
     "its stage has no micro-batch: the stage before has not sent one, or another stage of its "
     "pipeline still computes after its own last operator; 0 without a pipeline"},
    {"no_work", "no work", "utilization.no_work_fraction",
     "all stages of its pipeline (without one: it alone) have ended their last operator, or never "
     "had one"},
    {"host", "host", "utilization.host_fraction",
     "its host prepares its next pass, for as long as the plan's engine says"},
};
static_assert(std::size(kWords) == kGpuTimeKinds);

}  // namespace

const GpuTimeWord& word_of(GpuTimeKind kind) { return kWords[static_cast<int>(kind)]; }

Stall stall_of(Axis stalled_on, Seconds stall, Seconds idle_from, Seconds transfer_start) {
  Stall result;
  if (stalled_on == Axis::kCount || stall.value <= 0) return result;
  result.axis = stalled_on;
  result.before = stalled_on == Axis::kPipeline ? GpuTimeKind::kBubble : GpuTimeKind::kPeerWait;
  result.before_s = std::clamp((transfer_start - idle_from).value, 0.0, stall.value);
  result.network_s = stall.value - result.before_s;
  return result;
}

double GpuTime::network_sum() const { return std::accumulate(network.begin(), network.end(), 0.0); }

double GpuTime::of(GpuTimeKind kind) const {
  switch (kind) {
    case GpuTimeKind::kCompute:
      return compute;
    case GpuTimeKind::kNetwork:
      return network_sum();
    case GpuTimeKind::kPeerWait:
      return peer_wait;
    case GpuTimeKind::kBubble:
      return bubble;
    case GpuTimeKind::kHost:
      return host;
    case GpuTimeKind::kNoWork:
    case GpuTimeKind::kCount:
      break;
  }
  return no_work;
}

void GpuTimes::begin(const Programs& programs) {
  programs_ = &programs;
  times_.assign(programs.ranks.size(), {});
  last_end_.assign(programs.ranks.size(), 0);
}

void GpuTimes::add(Rank rank, const Stall& stall, double end) {
  GpuTime& time = times_[rank];
  last_end_[rank] = end;
  if (stall.axis == Axis::kCount) return;
  (stall.before == GpuTimeKind::kBubble ? time.bubble : time.peer_wait) += stall.before_s;
  time.network[static_cast<int>(stall.axis)] += stall.network_s;
}

double& GpuTimes::busy(Rank rank, const Instruction& instruction) {
  GpuTime& time = times_[rank];
  return instruction.op_class == OperatorClass::kHost ? time.host : time.compute;
}

void GpuTimes::add_operator(const Span& span) {
  busy(span.rank, instruction_of(*programs_, span)) += (span.end - span.start).value;
  add(span.rank, stall_of(span), span.end.value);
}

void GpuTimes::add_operators(const OperatorRun& run) {
  busy(run.rank, run.pass->instructions[run.instructions[0]]) += run.duration().value;
  add(run.rank,
      stall_of(run.stalled_on, run.stall, run.start - run.stall, run.stall_start_of_transfer),
      run.end().value);
}

void GpuTimes::end(Seconds makespan) {
  for (const ProcessGroup& group : programs_->groups.groups) {
    if (group.axis != Axis::kPipeline) continue;
    double ended = 0;  // the group's last operator
    for (const Rank rank : group.ranks) ended = std::max(ended, last_end_[rank]);
    for (const Rank rank : group.ranks) {
      times_[rank].bubble += ended - last_end_[rank];
      times_[rank].no_work += makespan.value - ended;
    }
  }
}

}  // namespace rehearse
