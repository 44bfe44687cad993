// A Hugging Face config.json as the message of workloads/schema/model.proto.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "input/source_text.hpp"
#include "proto/model.pb.h"

namespace rehearse {

struct HfModel {
  proto::Model model;
  std::vector<std::string> notes;  // what the config says that the model does not represent
};

// Reads the model types of hf/families.cpp. What changes arithmetic and is not understood throws
// InputError at its key: a refusal beats a wrong number. Places the fields of the model in `where`,
// at the key that they come from. `quantisation`: ModelOpt's hf_quant_config.json beside it, or
// nullptr.
HfModel read_hf_config(const SourceText& source, const SourceText* quantisation,
                       FieldLocations& where);

}  // namespace rehearse
