// What engines do, for people: each setting with where it comes from.
#pragma once

#include <string>

#include "plan/plan.hpp"
#include "service/engine_of_plan.hpp"

namespace rehearse {

// A line for each, indented by two: its scheduler, limits, memory, what it leaves out. `chosen`:
// what the plan says; all else is the engine's default, which is_brief puts into one line.
std::string engine_text(const PlannedEngine& engine, const EngineChoice& chosen, bool is_brief);

}  // namespace rehearse
