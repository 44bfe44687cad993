// The part of `rehearse show` that says how evenly ranks are loaded.
#pragma once

#include <string>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/program.hpp"

namespace rehearse {

// FLOPs of the whole batch per rank (uniform routing), and the modules that a rank holds: layers,
// and experts of them.
std::string show_work(const Model& model, const Plan& plan, const Programs& programs);

}  // namespace rehearse
