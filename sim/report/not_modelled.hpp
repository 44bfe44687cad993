// What is not modelled and matters for a plan: beside the numbers of its run.
#pragma once

#include <string>
#include <vector>

#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// In sentences; the most telling first.
std::vector<std::string> not_modelled(const Plan& plan, const Model& model);

}  // namespace rehearse
