#include "replay/waiting.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rehearse {
namespace {

constexpr int kNamed = 8;

// Of an instruction that a rank has posted, in a layer of the model.
std::string name_of(const Programs& programs, Rank rank, const Instruction& instruction,
                    int layer) {
  if (instruction.name >= 0) return programs.name_in_layer(instruction, layer);
  switch (instruction.kind) {
    case Instruction::Kind::kSend:
      return fmt::format("a send to rank {}", programs.peer_of(rank, instruction));
    case Instruction::Kind::kReceive:
      return fmt::format("a message from rank {}", programs.peer_of(rank, instruction));
    default:
      return fmt::format("{} over {}", to_text(instruction.op), to_text(instruction.axis));
  }
}

std::string awaited(const Programs& programs, Rank rank, const RankState& state) {
  if (state.blocked_on != RankState::kDraining) {
    const Slot& slot = state.slots[state.blocked_on];
    return name_of(programs, rank, *slot.instruction, slot.layer);
  }
  std::vector<Posted> open;
  for (const StreamState& stream : state.streams) {
    if (stream.busy) open.push_back(stream.current);
  }
  const std::size_t started = open.size();
  for (const StreamState& stream : state.streams) {
    for (const Queued& queued : stream.queue) open.push_back(queued.posted);
  }
  std::sort(open.begin() + static_cast<std::ptrdiff_t>(started), open.end(),
            [](const Posted& a, const Posted& b) { return a.order < b.order; });
  std::string names;
  for (const Posted& posted : open) {
    names +=
        (names.empty() ? "" : ", ") + name_of(programs, rank, *posted.instruction, posted.layer);
  }
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
                        awaited(programs, static_cast<Rank>(rank), ranks[rank]));
  }
  if (waiting > kNamed) text += fmt::format("; and {} more", waiting - kNamed);
  return text;
}

}  // namespace rehearse
