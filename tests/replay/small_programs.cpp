#include "replay/small_programs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.hpp"

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
    programs_.programs[rank].blocks = {{0, 0, 1, 0}};
  }
  // The first of its operation in the table.
  for (const CollectiveAlgorithm* algorithm : collective_algorithms()) {
    const CollectiveAlgorithm*& used = programs_.algorithms[static_cast<int>(algorithm->op)];
    if (used == nullptr) used = algorithm;
  }
}

void SmallPrograms::use(const CollectiveAlgorithm& algorithm) {
  programs_.algorithms[static_cast<int>(algorithm.op)] = &algorithm;
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
  SIM_CHECK(waits.size() <= instruction.waits.size(), "too many slots to wait for");
  std::copy(waits.begin(), waits.end(), instruction.waits.begin());
  Program& program = programs_.programs[rank];
  if (instruction.kind != Instruction::Kind::kCompute) instruction.slot = program.slots++;
  program.instructions.push_back(instruction);
  program.blocks[0].end = static_cast<int>(program.instructions.size());
  return program.blocks[0].end - 1;
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
  Program& program = programs_.programs[programs_.ranks[rank].program];
  at(rank, last(rank)).splits = static_cast<std::int32_t>(program.splits.size());
  program.splits.push_back(to_member);
}

int SmallPrograms::send(Rank from, Rank to, double bytes, const std::vector<int>& waits) {
  Instruction instruction;
  instruction.kind = Instruction::Kind::kSend;
  instruction.stream = Stream::kPipelineSend;
  instruction.axis = Axis::kPipeline;
  instruction.peer_stage = static_cast<std::int16_t>(to);
  instruction.bytes.base = bytes;
  return at(from, add(from, instruction, waits)).slot;
}

int SmallPrograms::receive(Rank to, Rank from) {
  Instruction instruction;
  instruction.kind = Instruction::Kind::kReceive;
  instruction.stream = Stream::kPipelineReceive;
  instruction.axis = Axis::kPipeline;
  instruction.peer_stage = static_cast<std::int16_t>(from);
  return at(to, add(to, instruction, {})).slot;
}

void SmallPrograms::collective_on_all(CollectiveOp op, double bytes, Axis axis, Stream stream) {
  for (Rank rank = 0; rank < ranks(); ++rank) collective(rank, op, bytes, {}, axis, stream);
}

void SmallPrograms::repeat(Rank rank, int times) {
  programs_.programs[rank].blocks[0].repeat = times;
}

int SmallPrograms::last(Rank rank) const { return programs_.programs[rank].blocks[0].end - 1; }

Instruction& SmallPrograms::at(Rank rank, int instruction) {
  return programs_.programs[rank].instructions[instruction];
}

}  // namespace rehearse
