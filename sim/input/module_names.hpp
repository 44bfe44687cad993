// The matrices of a layer by their names in checkpoints.
#pragma once

#include <string>
#include <vector>

#include "input/hf/family_reader.hpp"
#include "proto/model.pb.h"

namespace rehearse {

struct PartModules {
  proto::Storage::Part part;
  std::vector<std::string> names;   // below the layer: "self_attn.q_proj"
  std::vector<std::string> others;  // what they may be called together, or by other libraries
  // Engines multiply them as one, so that they are stored alike.
  bool as_one = false;
};

// Of a layer with this attention (nullptr: none) and these FFNs.
std::vector<PartModules> layer_modules(const proto::Model& model, const LayerParts& layer,
                                       const ModuleNames& names);

}  // namespace rehearse
