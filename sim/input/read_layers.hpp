// What a model's message says about its layers: kinds of attention, the pattern, what stands beside
// it.
#pragma once

#include "base/error.hpp"
#include "model/model.hpp"
#include "proto/model.pb.h"

namespace rehearse {

Dtype dtype_of(proto::Model::Dtype written);

void read_attention(const proto::Model& message, const FieldLocations& where, Model& model);
// REQUIRES: the model's attention, dense and moe are there. The pattern and the prediction.
void read_layers(const proto::Model& message, const FieldLocations& where, Model& model);
// Extra weights and towers. REQUIRES: the model's dtypes are there.
void read_what_is_beside(const proto::Model& message, const FieldLocations& where, Model& model);

}  // namespace rehearse
