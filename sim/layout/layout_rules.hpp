// Which rule a layout breaks first, for those who look at many layouts.
#pragma once

#include <string>

#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

struct BrokenRule {
  std::string reason;  // the message of check_layout, without its place
  int kept = 0;        // how many kinds of rules it keeps: those that are checked before this one
  std::string field = {};  // "layout.tensor"
};

// `reason` is empty where the layout is legal.
BrokenRule broken_rule(const Plan& plan, const Model& model, int gpus, const std::string& platform);

// Throws InputError, located in the plan: what of its layout is wrong whatever the degrees are.
void check_whatever_degrees(const Plan& plan);

}  // namespace rehearse
