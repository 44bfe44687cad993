// What a model is, without a plan.
#pragma once

#include <string>

#include "model/model.hpp"

namespace rehearse {

// Dimensions, parameters and bytes of a token.
std::string model_text(const Model& model);
// The same, and what a token and a sequence of `context` tokens cost.
std::string show_model(const Model& model, int context);

}  // namespace rehearse
