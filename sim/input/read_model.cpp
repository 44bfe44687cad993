#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "input/bounds.hpp"
#include "input/field_set.hpp"
#include "input/hf_config.hpp"
#include "input/input.hpp"
#include "input/read_layers.hpp"
#include "input/source_text.hpp"
#include "input/textproto.hpp"
#include "model/weights.hpp"
#include "proto/model.pb.h"

namespace rehearse {
namespace {

// The message, and where each of its fields stands.
struct Written {
  const proto::Model& message;
  const FieldLocations& where;

  void require(const google::protobuf::Message& part, const std::string& path,
               std::initializer_list<const char*> fields) const {
    for (const char* field : fields) require_field(part, path, field, where);
  }
};

FeedForward feed_forward_of(const proto::FeedForward& ffn, const std::string& path,
                            const Written& written) {
  FeedForward read;
  read.name = ffn.name();
  read.linear = ffn.linear();
  if (ffn.linear()) {
    if (!ffn.has_width() && !ffn.has_gated()) return read;
    throw InputError(written.where.at(path + ".linear"),
                     fmt::format("{}.linear: a linear FFN has no width and no gate", path));
  }
  written.require(ffn, path, {"width", "gated"});
  read.width = ffn.width();
  read.gated = ffn.gated();
  read.bias = ffn.bias();
  return read;
}

MixtureOfExperts moe_of(const proto::MixtureOfExperts& moe, const Written& written) {
  written.require(moe, "moe", {"experts", "top_k", "expert"});
  MixtureOfExperts result;
  result.experts = moe.experts();
  result.top_k = moe.top_k();
  result.expert = feed_forward_of(moe.expert(), "moe.expert", written);
  result.shared_experts = moe.shared_experts();
  if (moe.shared_experts() > 0) {
    written.require(moe, "moe", {"shared"});
    result.shared = feed_forward_of(moe.shared(), "moe.shared", written);
  }
  result.first_dense_layers = moe.first_dense_layers();
  result.router_bias = moe.router_bias();
  result.score_correction = moe.score_correction();
  result.shared_gate = moe.shared_gate();
  if (moe.has_groups()) result.groups = moe.groups();
  if (moe.has_top_groups()) result.top_groups = moe.top_groups();
  // Of groups whose number alone is given, all.
  if (moe.has_groups() && !moe.has_top_groups()) result.top_groups = moe.groups();
  result.latent = moe.latent();
  result.latent_norm = moe.latent_norm();
  result.zero_experts = moe.zero_experts();
  result.hashed_layers = moe.hashed_layers();
  return result;
}

// A weight of 8 bits or fewer is multiplied with wider activations.
Dtype default_activation_dtype(Dtype weight) {
  return bytes_per_element(weight) >= 2 ? weight : Dtype::kBf16;
}

// Whether quantised checkpoints leave the part as it is.
bool is_usually_wide(WeightPart part) {
  return part == WeightPart::kEmbedding || part == WeightPart::kLmHead ||
         part == WeightPart::kRouter || part == WeightPart::kNorms;
}

void refuse_storage(const std::string& field, const std::string& rule, const Written& written) {
  throw InputError(written.where.at(field), fmt::format("{}: {}", field, rule));
}

void check_storage(const proto::Storage& storage, const std::string& path, const Written& written) {
  if (storage.part_size() == 0) refuse_storage(path, "at least one part", written);
  // Those of the prediction are counted on from the model's.
  const proto::Model& message = written.message;
  const int layers =
      message.layers() + message.prediction().layers() * message.prediction().layer_size();
  const auto check_range = [&](const char* field, double value, double least, double most) {
    if (value >= least && value <= most) return;
    refuse_storage(path + "." + field, fmt::format("{} is not in {} to {}", value, least, most),
                   written);
  };
  const int first = storage.first_layer();
  check_range("first_layer", first, 0, layers - 1);
  if (storage.has_last_layer()) check_range("last_layer", storage.last_layer(), first, layers - 1);
  constexpr double kMostBytes = 1 << 10;
  check_range("scale_bytes", storage.scale_bytes(), 0, kMostBytes);
  check_range("bytes_per_matrix", storage.bytes_per_matrix(), 0, kMostBytes);
  check_range("bytes_per_input", storage.bytes_per_input(), 0, kMostBytes);
  const bool some_layers = storage.has_first_layer() || storage.has_last_layer();
  for (const int part : storage.part()) {
    const bool outside = part == proto::Storage::embedding || part == proto::Storage::lm_head ||
                         part == proto::Storage::norms;
    if (!outside || !some_layers) continue;
    refuse_storage(path, "embedding, lm_head and norms have no layers", written);
  }
}

Storage storage_of_message(const proto::Storage& message, Dtype wide) {
  Storage storage;
  storage.dtype = dtype_of(message.dtype());
  storage.arithmetic = message.has_arithmetic() ? dtype_of(message.arithmetic())
                                                : storage_named(storage.dtype, wide).arithmetic;
  storage.scale_bytes = message.scale_bytes();
  storage.block_outputs = message.block_outputs();
  storage.block_inputs = message.block_inputs();
  storage.bytes_per_matrix = message.bytes_per_matrix();
  storage.bytes_per_input = message.bytes_per_input();
  storage.static_scales = message.static_scales();
  return storage;
}

void read_storage(const Written& written, Model& model) {
  const Dtype wide = wide_dtype(model);
  if (bytes_per_element(model.weight_dtype) < 2) {
    for (int index = 0; index < kWeightParts; ++index) {
      const auto part = static_cast<WeightPart>(index);
      const Dtype dtype = is_usually_wide(part) ? wide : model.weight_dtype;
      model.storage.push_back({part, storage_named(dtype, wide)});
    }
  }
  const proto::Model& message = written.message;
  constexpr int kMostRules = 4096;
  if (message.storage_size() > kMostRules) {
    refuse_storage("storage", fmt::format("at most {} of them", kMostRules), written);
  }
  for (int index = 0; index < message.storage_size(); ++index) {
    const proto::Storage& storage = message.storage(index);
    const std::string path = fmt::format("storage[{}]", index);
    written.require(storage, path, {"dtype"});
    check_storage(storage, path, written);
    PartStorage read;
    read.storage = storage_of_message(storage, wide);
    read.first_layer = storage.first_layer();
    if (storage.has_last_layer()) read.last_layer = storage.last_layer();
    for (const int part : storage.part()) {
      read.part = static_cast<WeightPart>(part);
      model.storage.push_back(read);
    }
  }
}

// What quantised weights come to.
void note_storage(Model& model) {
  if (model.storage.empty()) return;
  std::string shares;
  for (const StorageShare& share : storage_shares(model)) {
    shares += fmt::format("{}{} {}", shares.empty() ? "" : ", ", to_text(share.bytes),
                          to_text(share.dtype));
  }
  model.notes.push_back(fmt::format("weights of the whole model: {}, scales included", shares));
}

Model model_of(const Written& written) {
  const proto::Model& message = written.message;
  written.require(message, "", {"layers", "hidden", "vocab"});
  Model model;
  model.name = message.name();
  model.layers = message.layers();
  model.hidden = message.hidden();
  read_attention(message, written.where, model);
  for (int at = 0; at < message.dense_size(); ++at) {
    const std::string path = message.dense_size() == 1 ? "dense" : fmt::format("dense[{}]", at);
    model.dense.push_back(feed_forward_of(message.dense(at), path, written));
  }
  if (message.has_moe()) model.moe = moe_of(message.moe(), written);
  read_layers(message, written.where, model);
  model.vocab = message.vocab();
  model.tied_embeddings = message.tied_embeddings();
  if (message.has_weight_dtype()) model.weight_dtype = dtype_of(message.weight_dtype());
  model.activation_dtype = message.has_activation_dtype()
                               ? dtype_of(message.activation_dtype())
                               : default_activation_dtype(model.weight_dtype);
  model.kv_dtype = message.has_kv_dtype() ? dtype_of(message.kv_dtype()) : model.activation_dtype;
  model.norms_per_layer = message.norms_per_layer();
  model.norm_bias = message.norm_bias();
  model.parallel_blocks = message.parallel_blocks();
  model.lm_head_bias = message.lm_head_bias();
  if (message.has_residual_streams()) model.residual_streams = message.residual_streams();
  model.longest_context = message.longest_context();
  read_what_is_beside(message, written.where, model);
  model.where = written.where;
  read_storage(written, model);
  return model;
}

// "hf_quant_config.json" beside "config.json", "x.hf_quant_config.json" beside "x.config.json"; of
// a config.json under another name, what stands in its folder. Empty: there is none.
std::string file_beside(const std::string& path, std::string_view wanted) {
  namespace fs = std::filesystem;
  constexpr std::string_view kConfig = "config.json";
  const fs::path file(path);
  const std::string name = file.filename().string();
  const bool named = name.ends_with(kConfig) && !name.ends_with(wanted);
  const std::string prefix = named ? name.substr(0, name.size() - kConfig.size()) : "";
  const fs::path beside = file.parent_path() / (prefix + std::string(wanted));
  std::error_code failure;
  return fs::exists(beside, failure) ? beside.string() : std::string();
}

std::string quantisation_beside(const std::string& path) {
  return file_beside(path, "hf_quant_config.json");
}

// GPTQ's and AWQ's first tools wrote files of their own, too; later ones repeat them in
// config.json.
void refuse_older_quantisation(const std::string& path, const SourceText& source) {
  if (source.text.find("\"quantization_config\"") != std::string::npos) return;
  for (const char* const name : {"quantize_config.json", "quant_config.json"}) {
    const std::string beside = file_beside(path, name);
    if (beside.empty()) continue;
    throw InputError({beside, 1, 1},
                     fmt::format("says how the weights of {} are quantised: write it there, as "
                                 "quantization_config with its quant_method",
                                 path));
  }
}

// "mixtral-8x7b" of "models/mixtral-8x7b.config.json".
std::string name_of_file(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  for (const char* const ending : {".config.json", ".json", ".textproto"}) {
    if (name.ends_with(ending)) return name.substr(0, name.size() - std::string(ending).size());
  }
  return name;
}

// `quantisation`: what stands beside a config.json, or nullptr.
Model model_from(const SourceText& source, const SourceText* quantisation,
                 const std::vector<std::string>& sets) {
  FieldLocations where(source.path);
  HfModel read;
  if (is_json(source)) {
    read = read_hf_config(source, quantisation, where);
  } else {
    parse_textproto(source, read.model, where);
  }
  for (const std::string& set : sets) {
    // The user typed --set model.FIELD=VALUE.
    set_field(*set_of_model(option_set("model." + set)), read.model, where);
    if (!set.starts_with("weight_dtype") || read.model.storage().empty()) continue;
    read.model.clear_storage();
    read.notes.emplace_back("model.weight_dtype is set: how the file stores its parts is not used");
  }
  check_bounds(read.model, model_bounds(), where);
  Model model = model_of({read.model, where});
  if (model.name.empty()) model.name = name_of_file(source.path);
  model.notes = std::move(read.notes);
  validate(model);
  note_storage(model);
  return model;
}

}  // namespace

Model parse_model(const SourceText& source, const std::vector<std::string>& sets) {
  return model_from(source, nullptr, sets);
}

Model read_model(const std::string& path, const std::vector<std::string>& sets) {
  const SourceText source = read_source(path, "a model");
  if (!is_json(source)) return parse_model(source, sets);
  const std::string beside = quantisation_beside(path);
  if (beside.empty()) {
    refuse_older_quantisation(path, source);
    return parse_model(source, sets);
  }
  const SourceText quantisation = read_source(beside, "a quantisation");
  return model_from(source, &quantisation, sets);
}

std::vector<std::string> model_sets(const std::vector<std::string>& sets) {
  std::vector<std::string> of_model;
  for (const std::string& each : sets) {
    const FieldSet typed = option_set(each);
    const auto set = set_of_model(typed);
    if (!set) {
      throw InputError(typed.begins,
                       fmt::format("\"{}\": without a plan only fields of the model can be set: "
                                   "model.FIELD=VALUE",
                                   each));
    }
    of_model.push_back(set->text);
  }
  return of_model;
}

std::vector<std::string> files_of_model(const std::string& path) {
  std::vector<std::string> files = {path};
  if (!is_json(read_source(path, "a model"))) return files;
  const std::string beside = quantisation_beside(path);
  if (!beside.empty()) files.push_back(beside);
  return files;
}

}  // namespace rehearse
