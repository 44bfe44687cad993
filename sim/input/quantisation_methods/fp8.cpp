// 8-bit floats of the weights and of the activations. Bytes in blocks: DeepSeek-V3's
// README_WEIGHTS.
#include "input/quantisation_methods/methods.hpp"

namespace rehearse {

using Dtype = proto::Model;

QuantisationMethod read_fp8(MethodReader& reader) {
  const JsonObject& statement = reader.statement();
  proto::Storage storage = storage_of(Dtype::fp8, Dtype::fp8);
  const std::string scheme = statement.string_or("dynamic", "activation_scheme");
  if (scheme != "dynamic" && scheme != "static") {
    statement.refuse("activation_scheme", "expected \"dynamic\" or \"static\"");
  }
  if (statement.find("weight_block_size") != nullptr) {
    constexpr double kScale = 4;  // fp32
    set_block(statement, "weight_block_size", kScale, storage);
  } else {
    constexpr double kScales = 8;  // of the weights and of the inputs, fp32
    storage.set_bytes_per_matrix(kScales);
    if (scheme == "static") storage.set_static_scales(true);
  }
  // Some modules in another way, as ModelOpt says it: its lists of what stays are of those.
  const bool mixed = statement.find("quantized_layers") != nullptr;
  reader.method().schemes.push_back(storage);
  for (const proto::Storage::Part part : kLayerParts) reader.method().of_part[part] = 0;
  if (mixed) add_quantized_layers(reader);
  return reader.finish({"modules_to_not_convert", "ignored_layers"});
}

// One fp32 scale for every output.
QuantisationMethod read_fbgemm_fp8(MethodReader& reader) {
  proto::Storage storage = storage_of(Dtype::fp8, Dtype::fp8);
  constexpr double kScale = 4;
  set_groups(storage, 0, kScale);
  return reader.finish(storage, {"modules_to_not_convert"});
}

}  // namespace rehearse
