// Which field of a plan that serves would make room for keys and values where there is none.
#pragma once

#include <string>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "platform/platform.hpp"

namespace rehearse {

// "layout.tensor=4 (4 GPUs a replica) would make room for 53,120 tokens". Smaller passes on the
// same GPUs first, then the fewest GPUs that a doubled degree makes do; where neither does, what
// does. REQUIRES: as engine_of, which throws DoesNotFit.
std::string room_advice(const Plan& plan, const EngineChoice& choice, const Model& model,
                        const Platform& platform, const std::string& field, int first_gpu);

}  // namespace rehearse
