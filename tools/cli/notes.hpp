// What the model's files leave open.
#pragma once

#include "model/model.hpp"

namespace rehearse {

// To stderr: for commands whose result does not say it.
void print_notes(const Model& model);

}  // namespace rehearse
