// Weights that a rank of a pipeline stage holds.
#pragma once

#include "layout/layout.hpp"
#include "model/model.hpp"

namespace rehearse {

// Of the layers of the stage, copies of experts included; embedding and LM head where the stage has
// them (tied ones once per rank).
Bytes weights_of_stage(const Model& model, const Plan& plan, int stage, Share layers);

}  // namespace rehearse
