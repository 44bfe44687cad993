// What happened, as a stream of facts. The replay calls a sink as it goes, so that a large run
// needs no memory for its timeline. Facts of one rank and stream come in time order; facts of
// different ranks interleave (deterministically).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "program/program.hpp"
#include "routing/token_spreads.hpp"

namespace rehearse {

struct TransferPath;  // network/paths.hpp

// One executed compute or communication instruction of one rank.
struct Span {
  Rank rank = 0;
  int action = 0;                         // of the rank's program
  int instruction = 0;                    // of the action's pass
  const Instruction* executed = nullptr;  // it, as long as the run's programs are there
  int layer = Place::kOutside;            // of the model
  double step = 0;                        // decode step: the argument of Amount::at
  int position = 0;                       // among the executions of the action's pass
  std::int64_t order = 0;                 // among all that the rank executes
  Seconds ready;  // communication: when this rank was ready (its wait for the others is start -
                  // ready); compute: = start
  Seconds start;  // communication: when the transfer started, all members ready
  Seconds end;
  std::int64_t transfer = -1;  // communication: number of the collective or message, the same on
                               // all its ranks, unique in the run
  const TransferPath* path = nullptr;  // of a collective: how it ran; good until the sink returns
  // Where routing is not uniform: the amounts of this rank in place of the instruction's.
  bool routed = false;
  Flops flops;
  Bytes bytes;
  int copies = 0;   // where a layer's experts begin: what they compute, and
  int dropped = 0;  // what they refused
  Seconds stall;    // compute: idle time of the compute stream just before start, waiting for
                    // `stalled_on`
  Seconds stall_start_of_transfer;  // when the transfer waited for had started (so: bubble or peer
                                    // wait before, exposed after)
  Axis stalled_on = Axis::kCount;   // kCount: no stall
};

// Operators that one rank executed one right after the other: nothing could come between them.
struct OperatorRun {
  Rank rank = 0;
  int action = 0;  // of the rank's program
  const Action* called = nullptr;
  const PassProgram* pass = nullptr;  // its
  Cursor first;
  const std::int32_t* instructions = nullptr;  // of the pass, by operator
  int count = 0;
  double step = 0;
  int number = 0;    // of the run: the same for all that execute it on this kind of device
  int position = 0;  // of the first; see Span
  std::int64_t order = 0;
  Seconds start;
  const Seconds* ends = nullptr;  // by operator, counted from `start`
  // Of the first operator; see Span.
  Seconds stall;
  Seconds stall_start_of_transfer;
  Axis stalled_on = Axis::kCount;

  Seconds duration() const { return ends[count - 1]; }
  Seconds end() const { return start + duration(); }
};

inline const Instruction& instruction_of(const Programs& programs, const Span& span) {
  if (span.executed != nullptr) return *span.executed;
  return programs.pass_of(programs.action(span.rank, span.action)).instructions[span.instruction];
}
inline Flops flops_of(const Span& span, const Instruction& instruction) {
  return span.routed ? span.flops : Flops{instruction.flops.at(span.step)};
}
inline Bytes bytes_of(const Span& span, const Instruction& instruction) {
  return span.routed ? span.bytes : Bytes{instruction.bytes.at(span.step)};
}
// What the rank sends in a communication, of a collective as moved_per_byte counts it.
Bytes sent(const Programs& programs, const Span& span, const Instruction& instruction);

enum class MemoryCategory : std::uint8_t {
  kWeights,
  kKvCache,
  kActivations,
  kCommunicationBuffers,
  kCount
};
const char* to_text(
    MemoryCategory category);  // "weights", "kv_cache", "activations", "communication_buffers"

// `bytes` is the new level of the category on the rank, from `time` on.
struct MemoryLevel {
  Rank rank = 0;
  MemoryCategory category = MemoryCategory::kWeights;
  Seconds time;
  Bytes bytes;
};

// What a link direction carried in the whole run.
struct LinkUse {
  int link = 0;  // as LinkFlow calls it
  std::string name;
  BytesPerSecond bandwidth;
  Bytes carried;
  // Other links that carried the same, in replicas that were not simulated because they are alike,
  // and the names of the first of these.
  int alike = 0;
  std::vector<std::string> alike_names{};
};
// Nobody lists more than these.
constexpr std::size_t kMostAlikeNamed = 200;

// What a flow carried over a link direction while its rate stayed the same.
struct LinkFlow {
  int link = 0;  // numbered from 0 in the order of first use
  Seconds start;
  Seconds end;
  Bytes carried;
};

class TimelineSink {
 public:
  virtual ~TimelineSink() = default;
  virtual void begin(const Programs&) {}
  virtual void span(const Span&) {}
  // Unless a sink takes them together, they are as many spans.
  virtual void operators(const OperatorRun& run);
  virtual void memory(const MemoryLevel&) {}
  virtual void routing(const RoutingTotals&) {}  // just before end, where routing is not uniform
  // Just before end: the shared links that carried anything. Only the fluid and exact levels count.
  virtual void links(const std::vector<LinkUse>&) {}
  // Many: only where the sink takes them. Only the fluid and exact levels have them.
  virtual bool takes_link_flows() const { return false; }
  virtual void link_flow(const LinkFlow&) {}
  virtual void end(Seconds /*makespan*/) {}
};

}  // namespace rehearse
