#include "program/program.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rehearse {
namespace {

std::string describe(const Instruction& instruction) {
  const auto amount = [](const Amount& a) {
    return a.per_step == 0 ? fmt::format("{:.0f}", a.base)
                           : fmt::format("{:.0f}+{:.0f}i", a.base, a.per_step);
  };
  switch (instruction.kind) {
    case Instruction::Kind::kCompute:
      return fmt::format("{} flops={} bytes={}", to_text(instruction.op_class),
                         amount(instruction.flops), amount(instruction.bytes));
    case Instruction::Kind::kCollective:
      return fmt::format("{} over {} bytes={}", to_text(instruction.op), to_text(instruction.axis),
                         amount(instruction.bytes));
    case Instruction::Kind::kSend:
      return fmt::format("send to {:+} bytes={}", instruction.peer, amount(instruction.bytes));
    case Instruction::Kind::kReceive:
      return fmt::format("receive from {:+} bytes={}", instruction.peer, amount(instruction.bytes));
  }
  return {};
}

std::string line_of(const Programs& programs, const PassProgram& pass,
                    const Instruction& instruction, int layer) {
  std::string waits;
  for (const int slot : pass.waits_of(instruction)) waits += fmt::format(" wait s{}", slot);
  const std::string records =
      instruction.slot < 0 ? "" : fmt::format(" record s{}", instruction.slot);
  return fmt::format("    [{}] {}: {}{}{}\n", to_text(instruction.stream),
                     programs.name_in_layer(instruction, layer), describe(instruction), waits,
                     records);
}

std::string text_of(const Programs& programs, const Action& action) {
  const PassProgram& pass = programs.pass_of(action);
  std::string text;
  if (pass.is_pass) {
    text += fmt::format("    {} of micro-batch {}, {} sequences\n", to_text(action.phase),
                        action.micro_batch, action.sequences.count);
  }
  for (Cursor cursor = pass.first(); !pass.is_over(cursor); pass.advance(cursor)) {
    text +=
        line_of(programs, pass, pass.instructions[cursor.at], action.layer(pass.layer_at(cursor)));
  }
  return text;
}

}  // namespace

const char* to_text(Stream stream) {
  constexpr const char* kNames[] = {"compute", "tp comm", "ep comm", "pp send", "pp receive"};
  return kNames[static_cast<int>(stream)];
}

const char* to_text(Phase phase) {
  constexpr const char* kNames[] = {"prefill", "decode", "prefill and decode"};
  return kNames[static_cast<int>(phase)];
}

Bytes PassProgram::certain_activations() const {
  Bytes most = live_copies.empty() ? activation_peak : Bytes{};
  for (const LiveBytes& live : live_copies) most = std::max(most, live.fixed);
  return most;
}

std::int64_t PassProgram::executions() const {
  std::int64_t count = 0;
  for (const Place& place : places) {
    count += static_cast<std::int64_t>(place.end - place.begin) * place.repeat;
  }
  return count;
}

int Programs::pass_about(const Program& program, int action) const {
  while (action >= 0 && !pass_of(program.actions[action]).is_pass) --action;
  return action;
}

std::string Programs::name_in_layer(const Instruction& instruction, int layer) const {
  const std::string name = instruction.name < 0 ? "-" : names[instruction.name];
  return layer < 0 ? name : fmt::format("L{} {}", layer, name);
}

std::string layers_text(const std::vector<Share>& chunks) {
  std::string text;
  for (const Share& chunk : chunks) {
    text += fmt::format("{}{}-{}", text.empty() ? "" : " and ", chunk.first,
                        chunk.first + chunk.count - 1);
  }
  return text;
}

std::string dump(const Programs& programs) {
  std::string text;
  for (const Program& program : programs.programs) {
    text += fmt::format("program \"{}\"\n", program.role);
    for (const Loop& loop : program.loops) {
      text += fmt::format("  repeat {} from step {}\n", loop.repeat, loop.first_step);
      for (int at = loop.begin; at < loop.end; ++at) {
        text += text_of(programs, program.actions[at]);
      }
    }
  }
  return text;
}

}  // namespace rehearse
