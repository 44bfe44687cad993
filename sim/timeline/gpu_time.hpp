// Where a GPU's time goes, in five words, and a sixth where an engine's host takes time:
// result.json, the summary, the page and the trace take the rule and its wording from here.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "program/program.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

enum class GpuTimeKind : std::uint8_t {
  kCompute,
  kNetwork,
  kPeerWait,
  kBubble,
  kNoWork,
  kHost,
  kCount
};
constexpr int kGpuTimeKinds = static_cast<int>(GpuTimeKind::kCount);

struct GpuTimeWord {
  const char* key;         // short, in the field's letters: "peer_wait"
  const char* name;        // for people: "slower peer"
  const char* field;       // of result.json: "communication.peer_wait_fraction"
  const char* definition;  // when a GPU's time counts as this
};
const GpuTimeWord& word_of(GpuTimeKind kind);

// What a rank's compute stream waited for before it started an operator. Before the transfer that
// it waited for last had started, others were late (of a pipeline's message: there was no
// micro-batch yet); from then on it is the network.
struct Stall {
  GpuTimeKind before = GpuTimeKind::kPeerWait;  // kBubble or kPeerWait
  double before_s = 0;
  Axis axis = Axis::kCount;  // of the transfer; kCount: there was no stall
  double network_s = 0;
};
Stall stall_of(Axis stalled_on, Seconds stall, Seconds idle_from, Seconds transfer_start);
inline Stall stall_of(const Span& span) {
  return stall_of(span.stalled_on, span.stall, span.start - span.stall,
                  span.stall_start_of_transfer);
}

// Of one rank, in seconds; they add up to the makespan.
struct GpuTime {
  double compute = 0;
  std::array<double, kAxes> network{};  // by axis
  double peer_wait = 0;
  double bubble = 0;
  double no_work = 0;
  double host = 0;

  double network_sum() const;
  double of(GpuTimeKind kind) const;
};

// Adds up the facts of a replay.
class GpuTimes {
 public:
  void begin(const Programs& programs);
  void add_operator(const Span& span);  // of the compute stream
  void add_operators(const OperatorRun& run);
  void end(Seconds makespan);

  const std::vector<GpuTime>& of_ranks() const { return times_; }  // complete after end()

 private:
  // What the time that it takes counts as.
  double& busy(Rank rank, const Instruction& instruction);
  void add(Rank rank, const Stall& stall, double end);

  const Programs* programs_ = nullptr;
  std::vector<GpuTime> times_;
  std::vector<double> last_end_;  // by rank, of its last operator
};

}  // namespace rehearse
