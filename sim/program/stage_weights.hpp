// Weights that a rank of a pipeline stage holds.
#pragma once

#include "layout/layout.hpp"
#include "model/model.hpp"

namespace rehearse {

// Of the layers of the rank's chunks, copies of experts included; embedding and LM head where the
// rank, `stage` on the pipeline axis, has them (tied ones once per rank).
Bytes weights_of_stage(const Model& model, const Plan& plan, int stage);

}  // namespace rehearse
