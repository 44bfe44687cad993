// Weights that a rank of a pipeline stage holds.
#pragma once

#include "layout/layout.hpp"
#include "model/model.hpp"

namespace rehearse {

// Of the layers of the rank's chunks, copies of experts included; embedding and LM head where the
// rank, `stage` on the pipeline axis, has them (tied ones once per rank).
Bytes weights_of_stage(const Model& model, const Plan& plan, int stage);

// Whether the engine drafts tokens with the model's own prediction.
bool drafts_by_prediction(const EngineChoice& engine, const Model& model);
// What a rank of the last stage holds for that, beside weights_of_stage. Embedding and LM head are
// the model's own where they are the same (vLLM's eagle.py, load_model; SGLang's
// set_embed_and_head), but an embedding on another stage than the first is there once more.
// REQUIRES: model.prediction.
Bytes weights_of_prediction(const Model& model, const Plan& plan);

}  // namespace rehearse
