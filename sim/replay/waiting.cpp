#include "replay/waiting.hpp"

#include <fmt/format.h>

namespace rehearse {
namespace {

constexpr int kNamed = 8;

std::string name_of(const Programs& programs, const Instruction& instruction) {
  if (instruction.name >= 0) return programs.names[instruction.name];
  switch (instruction.kind) {
    case Instruction::Kind::kSend:
      return fmt::format("a send to stage {}", instruction.peer_stage);
    case Instruction::Kind::kReceive:
      return fmt::format("a message from stage {}", instruction.peer_stage);
    default:
      return fmt::format("{} over {}", to_text(instruction.op), to_text(instruction.axis));
  }
}

std::string awaited(const Programs& programs, const RankState& state) {
  if (state.blocked_on != RankState::kDraining) {
    const Slot& slot = state.slots[state.blocked_on];
    return name_of(programs, state.program->instructions[slot.instruction]);
  }
  std::string names;
  const auto add = [&](const Posted& posted) {
    names += names.empty() ? "" : ", ";
    names += name_of(programs, state.program->instructions[posted.instruction]);
  };
  for (const StreamState& stream : state.streams) {
    if (stream.busy) add(stream.current);
  }
  for (const Posted& posted : state.queue) add(posted);
  return names.empty() ? "messages that it is to receive" : names;
}

}  // namespace

std::string describe_waiting(const Programs& programs, const std::vector<RankState>& ranks) {
  std::string text = "no rank can make progress: ";
  int waiting = 0;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    if (ranks[rank].blocked_on == RankState::kNotBlocked) continue;
    if (++waiting > kNamed) continue;
    text += fmt::format("{}rank {} waits for {}", waiting > 1 ? "; " : "", rank,
                        awaited(programs, ranks[rank]));
  }
  if (waiting > kNamed) text += fmt::format("; and {} more", waiting - kNamed);
  return text;
}

}  // namespace rehearse
