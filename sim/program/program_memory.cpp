#include "program/program_memory.hpp"

#include <algorithm>

namespace rehearse {

ProgramMemory memory_of(const Program& program) {
  ProgramMemory memory;
  memory.weights = program.weights;
  memory.communication_buffers = program.communication_buffers;
  for (const Block& block : program.blocks) {
    for (int at = block.begin; at < block.end; ++at) {
      if (program.instructions[at].kind != Instruction::Kind::kPassBegin) continue;
      const Pass& pass = program.passes[program.instructions[at].pass];
      memory.kv_cache += pass.kv_appended * block.repeat;
      memory.activations = std::max(memory.activations, pass.activation_peak);
    }
  }
  return memory;
}

}  // namespace rehearse
