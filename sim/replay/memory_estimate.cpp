#include "replay/rank_state.hpp"
#include "replay/replay.hpp"

namespace rehearse {

Bytes estimate_memory(const Programs& programs) {
  // Measured with tests/bench/replay_bench.cpp, SimGrid 3.32 on x86-64, November 2026: 32.3 MB
  // resident at 1,024 ranks and 364 MB at 16,384, so 21.6 kB for each rank added: the actor's stack
  // of 12 KiB, SimGrid's actor and context, and the rank's state.
  constexpr double kBytesPerActor = 22e3;
  // One flow entry per link of a transfer's path, in the path and on the link; two links per member
  // of a group.
  constexpr double kBytesPerGroupMember = 300;
  // Of an instruction beside itself: its price (88), its place in a run of operators and its times
  // there (20), and its share of what replay and metrics keep of a run (130): the 24-GPU plan has
  // 2.4 operators in one.
  constexpr double kBytesPerInstruction = 163;

  double bytes = 60e6;  // the program, SimGrid and its libraries
  for (const PassProgram& pass : programs.passes) {
    bytes += sizeof(PassProgram) + static_cast<double>(pass.instructions.size()) *
                                       (sizeof(Instruction) + kBytesPerInstruction);
  }
  for (const Program& program : programs.programs) {
    bytes += static_cast<double>(program.actions.size()) * sizeof(Action);
  }
  for (const RankEntry& rank : programs.ranks) {
    bytes += kBytesPerActor + sizeof(RankState) + sizeof(RankEntry);
    bytes += programs.programs[rank.program].slots * static_cast<double>(sizeof(Slot));
  }
  for (const ProcessGroup& group : programs.groups.groups) {
    bytes += static_cast<double>(group.ranks.size()) * kBytesPerGroupMember;
  }
  return {bytes};
}

}  // namespace rehearse
