// What a multimodal model has beside its language model.
#pragma once

#include "input/hf/family_reader.hpp"

namespace rehearse {

// Counts the weights of a vision tower whose layers are known by its model_type, with the projector
// behind it; says what is not counted, and that nothing of it is simulated.
void read_towers(FamilyReader& reader);

}  // namespace rehearse
