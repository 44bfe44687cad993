#include "program/program.hpp"

#include <fmt/format.h>

namespace rehearse {
namespace {

std::string describe(const Instruction& instruction) {
  const auto amount = [](const Amount& a) {
    return a.per_step == 0 ? fmt::format("{:.0f}", a.base)
                           : fmt::format("{:.0f}+{:.0f}i", a.base, a.per_step);
  };
  switch (instruction.kind) {
    case Instruction::Kind::kPassBegin:
      return fmt::format("begin pass {}", instruction.pass);
    case Instruction::Kind::kPassEnd:
      return fmt::format("end pass {}", instruction.pass);
    case Instruction::Kind::kCompute:
      return fmt::format("{} flops={} bytes={}", to_text(instruction.op_class),
                         amount(instruction.flops), amount(instruction.bytes));
    case Instruction::Kind::kCollective:
      return fmt::format("{} over {} bytes={}", to_text(instruction.op), to_text(instruction.axis),
                         amount(instruction.bytes));
    case Instruction::Kind::kSend:
      return fmt::format("send to stage {} bytes={}", instruction.peer_stage,
                         amount(instruction.bytes));
    case Instruction::Kind::kReceive:
      return fmt::format("receive from stage {} bytes={}", instruction.peer_stage,
                         amount(instruction.bytes));
  }
  return {};
}

std::string line_of(const Instruction& instruction, const std::vector<std::string>& names) {
  std::string waits;
  for (const int slot : instruction.waits) {
    if (slot >= 0) waits += fmt::format(" wait s{}", slot);
  }
  const std::string records =
      instruction.slot < 0 ? "" : fmt::format(" record s{}", instruction.slot);
  return fmt::format("    [{}] {}: {}{}{}\n", to_text(instruction.stream),
                     instruction.name < 0 ? "-" : names[instruction.name], describe(instruction),
                     waits, records);
}

}  // namespace

const char* to_text(Stream stream) {
  constexpr const char* kNames[] = {"compute", "tp comm", "ep comm", "pp send", "pp receive"};
  return kNames[static_cast<int>(stream)];
}

std::string dump(const Programs& programs) {
  std::string text;
  for (const Program& program : programs.programs) {
    text += fmt::format("program \"{}\"\n", program.role);
    for (const Block& block : program.blocks) {
      text += fmt::format("  repeat {} from step {}\n", block.repeat, block.first_step);
      for (int at = block.begin; at < block.end; ++at) {
        text += line_of(program.instructions[at], programs.names);
      }
    }
  }
  return text;
}

}  // namespace rehearse
