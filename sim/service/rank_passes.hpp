// Ranks of one engine, each with a pass of its own, until the last of them is through.
#pragma once

#include <vector>

#include "base/units.hpp"
#include "program/pass_program.hpp"

namespace rehearse {

struct RankPass {
  const PassProgram* program = nullptr;
  std::vector<Seconds> times;  // by instruction
};

// So many that follow each other are tensor ranks: see execute_together(). Passes that differ in
// more than amounts (a prefill beside decodes, where attention has other operators) do not wait for
// each other here: the slowest of them counts.
Seconds together(std::vector<RankPass> passes, int tensor_ranks = 1);

}  // namespace rehearse
