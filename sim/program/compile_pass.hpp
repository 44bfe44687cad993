// The program of a pass: its graph in order of execution, with streams, slots and messages.
#pragma once

#include "graph/workload_graph.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/names.hpp"
#include "program/pass_program.hpp"

namespace rehearse {

// What a pass has beside its graph.
struct PassParts {
  bool receives_tokens = false;  // those that the last stage sampled
  bool moves_experts = false;    // before anything is computed, their weights arrive
  bool routed = false;           // routing is not uniform
};

// `kinds`: of the model's layers (layer_kinds). Alike layers are written down once or twice.
PassProgram compile_pass(const Model& model, const Layout& layout, const PassShape& shape,
                         const std::vector<int>& kinds, const PassParts& parts, Names& names);

// The last stage sends the tokens that it has sampled for so many sequences to the first: its part
// or that of the first, for which nobody waits there.
PassProgram compile_token_message(int sequences, Message::Kind kind, Names& names);

// A sampled token on its way back to the first stage: an int32, as frameworks send it.
constexpr double kTokenIdBytes = 4;

}  // namespace rehearse
