#include "program/program_memory.hpp"

#include <algorithm>

namespace rehearse {

ProgramMemory memory_of(const Programs& programs, const Program& program) {
  ProgramMemory memory;
  memory.weights = program.weights;
  memory.communication_buffers = program.communication_buffers;
  Bytes kv_cache;
  for (const Loop& loop : program.loops) {
    for (int at = loop.begin; at < loop.end; ++at) {
      const PassProgram& pass = programs.pass_of(program.actions[at]);
      kv_cache += pass.kv_appended * loop.repeat;
      memory.kv_cache = std::max(memory.kv_cache, kv_cache);
      memory.activations = std::max(memory.activations, pass.activation_peak);
    }
  }
  return memory;
}

}  // namespace rehearse
