// ModelOpt: one algorithm for all layers (FP8, NVFP4 ...), or MIXED_PRECISION, which lists the
// quantised modules, each with its algorithm. An algorithm is a row of kAlgorithms. Bytes: the
// index files of its checkpoints.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "input/quantisation_methods/methods.hpp"

namespace rehearse {
namespace {

using Dtype = proto::Model;

struct Algorithm {
  std::string_view name;
  proto::Model::Dtype dtype;
  std::optional<proto::Model::Dtype> arithmetic;  // absent: the activations'
  int group;                                      // elements for a scale; 0: no such scales
  double scale_bytes;
  double bytes_per_matrix;
  double bytes_per_input;  // AWQ's scales of the inputs
};

constexpr int kRow = -1;
constexpr int kTile = -2;  // kTileSide x kTileSide
constexpr int kTileSide = 128;
constexpr Algorithm kAlgorithms[] = {
    {"FP8", Dtype::fp8, Dtype::fp8, 0, 0, 8, 0},
    {"FP8_PER_CHANNEL_PER_TOKEN", Dtype::fp8, Dtype::fp8, kRow, 4, 0, 0},
    {"FP8_BLOCK_SCALES", Dtype::fp8, Dtype::fp8, kTile, 4, 0, 0},
    {"FP8_PB_WO", Dtype::fp8, std::nullopt, kTile, 4, 0, 0},
    {"MXFP8", Dtype::fp8, Dtype::fp8, 32, 1, 0, 0},
    {"NVFP4", Dtype::fp4, Dtype::fp4, 16, 1, 8, 0},
    {"NVFP4_AWQ", Dtype::fp4, Dtype::fp4, 16, 1, 8, 2},
    {"W4A16_NVFP4", Dtype::fp4, std::nullopt, 16, 1, 8, 0},
    {"W4A8_NVFP4_FP8", Dtype::fp4, Dtype::fp8, 16, 1, 8, 0},
    {"W4A16_MXFP4", Dtype::fp4, std::nullopt, 32, 1, 0, 0},
    {"W4A8_MXFP4_FP8", Dtype::fp4, Dtype::fp8, 32, 1, 4, 0},
    {"W4A16", Dtype::int4, std::nullopt, 128, 2, 0, 0},
    {"W4A16_AWQ", Dtype::int4, std::nullopt, 128, 2, 0, 2},
    {"W4A8_AWQ", Dtype::int4, Dtype::fp8, 128, 2, 8, 2},
    {"W8A16", Dtype::int8, std::nullopt, kRow, 2, 0, 0},
    {"W8A8_SQ_PER_CHANNEL", Dtype::int8, Dtype::int8, kRow, 4, 4, 2}};

void set_scales(const JsonObject& object, const Algorithm& algorithm, MethodReader& reader,
                proto::Storage& storage) {
  if (algorithm.group == kTile) {
    set_groups(storage, kTileSide, algorithm.scale_bytes);
    storage.set_block_outputs(kTileSide);
  } else if (algorithm.group != 0) {
    const int usual = algorithm.group == kRow ? 0 : algorithm.group;
    const bool stated = usual > 0 && object.find("group_size") != nullptr;
    set_groups(storage, stated ? group_size(object, "group_size") : usual, algorithm.scale_bytes);
    // The groups of floats are their format's.
    const bool free = usual > 0 && algorithm.dtype == Dtype::int4;
    if (free && !stated) {
      reader.note_default(object, "group_size", std::to_string(usual), "ModelOpt");
    }
  }
  storage.set_bytes_per_matrix(algorithm.bytes_per_matrix);
  storage.set_bytes_per_input(algorithm.bytes_per_input);
}

// Of the object's quant_algo.
proto::Storage storage_of_algorithm(const JsonObject& object, MethodReader& reader) {
  const std::string name = object.string_or("", "quant_algo");
  std::string known;
  for (const Algorithm& each : kAlgorithms) {
    known += fmt::format(" {}", each.name);
    if (each.name != name) continue;
    proto::Storage storage = storage_of(each.dtype, each.arithmetic.value_or(reader.activations()));
    set_scales(object, each, reader, storage);
    // An input_scale stands beside each weight: vLLM's ModelOptFp8LinearMethod, TensorRT-LLM's
    // FP8QDQLinearMethod.
    if (name == "FP8") storage.set_static_scales(true);
    return storage;
  }
  object.refuse("quant_algo", fmt::format("only{} MIXED_PRECISION are read", known));
}

}  // namespace

void add_quantized_layers(MethodReader& reader) {
  const JsonObject layers = reader.statement().object("quantized_layers");
  if (layers.value().empty()) {
    layers.refuse("quantized_layers", "lists no layer, so nothing says what is quantised");
  }
  QuantisationMethod& method = reader.method();
  std::vector<std::string> known;  // schemes as bytes
  for (const proto::Storage& scheme : method.schemes) known.push_back(scheme.SerializeAsString());
  for (const auto& [module, how] : layers.value().items()) {
    if (!how.is_object()) layers.refuse(module, "expected an object");
    const proto::Storage storage = storage_of_algorithm(layers.object(module), reader);
    const std::string bytes = storage.SerializeAsString();
    const auto at = std::find(known.begin(), known.end(), bytes);
    const int scheme = static_cast<int>(at - known.begin());
    if (at == known.end()) {
      known.push_back(bytes);
      method.schemes.push_back(storage);
    }
    method.targets.add(module, scheme, layers.at(module));
  }
  method.targets.check_experts(layers.where());
}

QuantisationMethod read_modelopt(MethodReader& reader) {
  const JsonObject& statement = reader.statement();
  if (statement.find("quant_algo") == nullptr) {
    if (statement.find("config_groups") != nullptr) return read_compressed_tensors(reader);
    if (statement.find("kv_cache_quant_algo") == nullptr) {
      statement.refuse("quant_algo", "expected a ModelOpt algorithm: \"FP8\", \"NVFP4\" ...");
    }
    return reader.finish({});  // the KV cache alone
  }
  if (statement.string_or("", "quant_algo") == "MIXED_PRECISION") {
    add_quantized_layers(reader);
    return reader.finish({"exclude_modules", "ignore"});
  }
  const nlohmann::json* excluded = statement.find("exclude_modules");
  if (excluded == nullptr) excluded = statement.find("ignore");
  if (excluded == nullptr || excluded->empty()) {
    reader.method().notes.push_back(fmt::format(
        "{}: no exclude_modules: embedding, LM head, router and norms count as not quantised",
        statement.path()));
  }
  return reader.finish(storage_of_algorithm(statement, reader), {"exclude_modules", "ignore"});
}

}  // namespace rehearse
