#include "replay/small_programs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace rehearse {

SmallPrograms::SmallPrograms(int ranks) {
  programs_.programs.resize(ranks);
  programs_.ranks.resize(ranks);
  programs_.groups.of_rank.resize(ranks);
  std::vector<Rank> all(ranks);
  std::iota(all.begin(), all.end(), 0);
  for (int axis = 0; axis < kAxes; ++axis) divide(static_cast<Axis>(axis), {all});
  for (Rank rank = 0; rank < ranks; ++rank) {
    programs_.ranks[rank].program = rank;
    programs_.ranks[rank].gpu = rank;
    programs_.programs[rank].actions.emplace_back().pass = rank;
    programs_.programs[rank].loops = {{0, 1, 1, 0}};
  }
  programs_.passes.resize(ranks);
  // The first of its operation in the table.
  programs_.collectives.library = &textbook_library();
  for (const CollectiveAlgorithm* algorithm : collective_algorithms()) {
    const CollectiveAlgorithm*& used =
        programs_.collectives.algorithms[static_cast<int>(algorithm->op)];
    if (used == nullptr) used = algorithm;
  }
}

void SmallPrograms::use(const CollectiveAlgorithm& algorithm) {
  programs_.collectives.algorithms[static_cast<int>(algorithm.op)] = &algorithm;
}

void SmallPrograms::use(const CollectiveLibrary& library) {
  programs_.collectives = {};
  programs_.collectives.library = &library;
}

void SmallPrograms::divide(Axis axis, const std::vector<std::vector<Rank>>& groups) {
  for (const std::vector<Rank>& ranks : groups) {
    for (const Rank rank : ranks) {
      programs_.groups.of_rank[rank][static_cast<int>(axis)] =
          static_cast<std::int32_t>(programs_.groups.groups.size());
    }
    programs_.groups.groups.push_back({axis, ranks});
  }
}

int SmallPrograms::add(Rank rank, Instruction instruction, const std::vector<int>& waits) {
  PassProgram& pass = programs_.passes[rank];
  instruction.first_wait = static_cast<std::int32_t>(pass.waits.size());
  instruction.waits = static_cast<std::int32_t>(waits.size());
  pass.waits.insert(pass.waits.end(), waits.begin(), waits.end());
  if (instruction.kind != Instruction::Kind::kCompute) instruction.slot = pass.slots++;
  programs_.programs[rank].slots = pass.slots;
  pass.instructions.push_back(instruction);
  const int count = static_cast<int>(pass.instructions.size());
  pass.places = {{0, count, Place::kOutside, 1}};
  return count - 1;
}

int SmallPrograms::compute(Rank rank, double seconds, const std::vector<int>& waits) {
  Instruction instruction;
  instruction.flops.base = seconds * 1e12;
  return add(rank, instruction, waits);
}

int SmallPrograms::collective(Rank rank, CollectiveOp op, double bytes,
                              const std::vector<int>& waits, Axis axis, Stream stream) {
  Instruction instruction;
  instruction.kind = Instruction::Kind::kCollective;
  instruction.stream = stream;
  instruction.axis = axis;
  instruction.op = op;
  instruction.bytes.base = bytes;
  instruction.name = static_cast<std::int32_t>(programs_.names.size());
  programs_.names.push_back(fmt::format("{} {}", to_text(axis), to_text(op)));
  return at(rank, add(rank, instruction, waits)).slot;
}

void SmallPrograms::split_last(Rank rank, const std::vector<Bytes>& to_member) {
  PassProgram& pass = programs_.passes[rank];
  at(rank, last(rank)).splits = static_cast<std::int32_t>(pass.splits.size());
  pass.splits.push_back(to_member);
}

int SmallPrograms::send(Rank from, Rank to, double bytes, const std::vector<int>& waits) {
  Instruction instruction;
  instruction.kind = Instruction::Kind::kSend;
  instruction.message = MessageKind::kTokens;  // one lane for all
  instruction.stream = Stream::kPipelineSend;
  instruction.axis = Axis::kPipeline;
  instruction.peer = static_cast<std::int16_t>(to - from);
  instruction.bytes.base = bytes;
  const int index = add(from, instruction, waits);
  messages_[{from, to}].sent.push_back(bytes);
  expect_sent(from, to);
  return at(from, index).slot;
}

int SmallPrograms::receive(Rank to, Rank from) {
  Instruction instruction;
  instruction.kind = Instruction::Kind::kReceive;
  instruction.message = MessageKind::kTokens;
  instruction.stream = Stream::kPipelineReceive;
  instruction.axis = Axis::kPipeline;
  instruction.peer = static_cast<std::int16_t>(from - to);
  const int index = add(to, instruction, {});
  messages_[{from, to}].received.push_back(index);
  expect_sent(from, to);
  return at(to, index).slot;
}

void SmallPrograms::expect_sent(Rank from, Rank to) {
  const Messages& messages = messages_[{from, to}];
  for (std::size_t k = 0; k < std::min(messages.sent.size(), messages.received.size()); ++k) {
    at(to, messages.received[k]).bytes.base = messages.sent[k];
  }
}

void SmallPrograms::collective_on_all(CollectiveOp op, double bytes, Axis axis, Stream stream) {
  for (Rank rank = 0; rank < ranks(); ++rank) collective(rank, op, bytes, {}, axis, stream);
}

void SmallPrograms::repeat(Rank rank, int times) {
  programs_.programs[rank].loops[0].repeat = times;
}

int SmallPrograms::last(Rank rank) const {
  return static_cast<int>(programs_.passes[rank].instructions.size()) - 1;
}

Instruction& SmallPrograms::at(Rank rank, int instruction) {
  return programs_.passes[rank].instructions[instruction];
}

}  // namespace rehearse
