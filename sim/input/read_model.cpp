#include <fmt/format.h>

#include <filesystem>

#include "input/bounds.hpp"
#include "input/field_set.hpp"
#include "input/hf_config.hpp"
#include "input/input.hpp"
#include "input/source_text.hpp"
#include "input/textproto.hpp"
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

Dtype dtype_of(proto::Model::Dtype written) {
  const std::string& name = proto::Model::Dtype_Name(written);
  const auto dtype = dtype_named(name);
  SIM_CHECK(dtype.has_value(), "the schema's dtype " + name + " has no Dtype");
  return *dtype;
}

FeedForward feed_forward_of(const proto::FeedForward& ffn, const std::string& path,
                            const Written& written) {
  written.require(ffn, path, {"width", "gated"});
  return {ffn.width(), ffn.gated(), ffn.bias()};
}

Attention attention_of(const proto::Attention& attention, const Written& written) {
  written.require(attention, "attention", {"heads", "kv_heads", "head_dim"});
  return {attention.heads(), attention.kv_heads(), attention.head_dim(), attention.bias()};
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
  return result;
}

// A weight of 8 bits or fewer is multiplied with wider activations.
Dtype default_activation_dtype(Dtype weight) {
  return bytes_per_element(weight) >= 2 ? weight : Dtype::kBf16;
}

Model model_of(const Written& written) {
  const proto::Model& message = written.message;
  written.require(message, "", {"layers", "hidden", "attention", "vocab"});
  Model model;
  model.name = message.name();
  model.layers = message.layers();
  model.hidden = message.hidden();
  model.attention = attention_of(message.attention(), written);
  if (message.has_dense()) model.dense = feed_forward_of(message.dense(), "dense", written);
  if (message.has_moe()) model.moe = moe_of(message.moe(), written);
  model.vocab = message.vocab();
  model.tied_embeddings = message.tied_embeddings();
  if (message.has_weight_dtype()) model.weight_dtype = dtype_of(message.weight_dtype());
  model.activation_dtype = message.has_activation_dtype()
                               ? dtype_of(message.activation_dtype())
                               : default_activation_dtype(model.weight_dtype);
  model.kv_dtype = message.has_kv_dtype() ? dtype_of(message.kv_dtype()) : model.activation_dtype;
  model.where = written.where;
  return model;
}

// "mixtral-8x7b" of "models/mixtral-8x7b.config.json".
std::string name_of_file(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  for (const char* const ending : {".config.json", ".json", ".textproto"}) {
    if (name.ends_with(ending)) return name.substr(0, name.size() - std::string(ending).size());
  }
  return name;
}

}  // namespace

Model parse_model(const SourceText& source, const std::vector<std::string>& sets) {
  FieldLocations where(source.path);
  HfModel read;
  if (is_json(source)) {
    read = read_hf_config(source, where);
  } else {
    parse_textproto(source, read.model, where);
  }
  for (const std::string& set : sets) {
    // The user typed --set model.FIELD=VALUE.
    set_field(*set_of_model(option_set("model." + set)), read.model, where);
  }
  check_bounds(read.model, model_bounds(), where);
  Model model = model_of({read.model, where});
  if (model.name.empty()) model.name = name_of_file(source.path);
  model.notes = std::move(read.notes);
  validate(model);
  return model;
}

Model read_model(const std::string& path, const std::vector<std::string>& sets) {
  return parse_model(read_source(path, "a model"), sets);
}

}  // namespace rehearse
