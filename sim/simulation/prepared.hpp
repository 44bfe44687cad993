// A plan that can be simulated, lowered, shown: every check that needs no simulation is behind it.
#pragma once

#include "cluster_xml/check_platform_xml.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// The platform's file is checked, the layout fits the model and the platform's GPUs, the routing
// fits the model. It does not touch SimGrid, so that children may still simulate it. Throws
// InputError.
class PreparedPlan {
 public:
  PreparedPlan(Plan plan, Model model);

  const Plan& plan() const { return plan_; }
  const Model& model() const { return model_; }
  const PlatformFile& platform() const { return platform_; }
  int gpus() const { return gpus_; }  // of the platform

 private:
  Plan plan_;
  Model model_;
  PlatformFile platform_;
  int gpus_;
};

}  // namespace rehearse
