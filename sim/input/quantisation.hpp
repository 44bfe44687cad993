// What a checkpoint says of how it is quantised, as storage of the parts of its model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "input/hf/family_reader.hpp"
#include "input/json_object.hpp"
#include "proto/model.pb.h"

namespace rehearse {

struct Quantisation {
  std::vector<proto::Storage> storage;  // of what is quantised
  std::optional<proto::Model::Dtype> kv_dtype;
  std::vector<std::string> notes;  // a sentence each
};

// Where a statement comes from: config.json's quantization_config, with its quant_method; or
// "quantization" of ModelOpt's hf_quant_config.json.
enum class QuantisationFile { kConfig, kModelOpt };

// `model`: its dimensions and activation_dtype. `layers`: what each of its layers is made of;
// `family` has the names of the matrices. Throws InputError, at the key, for what is not understood
// and changes bytes or arithmetic.
Quantisation read_quantisation(const JsonObject& statement, QuantisationFile file,
                               const proto::Model& model, const std::vector<LayerParts>& layers,
                               const Family& family);

}  // namespace rehearse
