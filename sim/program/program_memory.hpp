// What each rank of a role holds, before any simulation.
#pragma once

#include "program/program.hpp"

namespace rehearse {

struct ProgramMemory {
  Bytes weights;
  Bytes kv_cache;     // at its fullest: when the last token of a batch is there
  Bytes activations;  // the most that are live in a pass
  Bytes communication_buffers;

  // At most: the most activations need not be live when the KV cache is full.
  Bytes sum() const { return weights + kv_cache + activations + communication_buffers; }
};
ProgramMemory memory_of(const Programs& programs, const Program& program);

}  // namespace rehearse
