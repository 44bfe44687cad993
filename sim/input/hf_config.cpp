#include "input/hf_config.hpp"

#include <fmt/format.h>

#include <optional>

#include "input/bounds.hpp"
#include "input/hf_keys.hpp"
#include "input/json_document.hpp"
#include "input/json_object.hpp"
#include "input/quantisation.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// The keys of the language model: those of text_config where there is one (multimodal models), then
// those of the file itself. A null is as good as no key.
class Config {
 public:
  explicit Config(const SourceText& source) : file_(source.at(0)), json_(parse_json(source)) {
    if (!json_.root.is_object()) throw InputError(file_, "expected a JSON object");
    const auto nested = json_.root.find("text_config");
    if (nested != json_.root.end() && nested->is_object()) scopes_.push_back("text_config.");
    scopes_.push_back("");
  }

  const json* find(const std::string& key) const {
    for (const std::string& scope : scopes_) {
      const json& object = scope.empty() ? json_.root : json_.root["text_config"];
      const auto found = object.find(key);
      if (found != object.end() && !found->is_null()) return &*found;
    }
    return nullptr;
  }

  // Whether the key is there, be it null.
  bool says(const std::string& key) const {
    for (const std::string& scope : scopes_) {
      if ((scope.empty() ? json_.root : json_.root["text_config"]).contains(key)) return true;
    }
    return false;
  }

  // Where the key stands; where it should stand when it is missing.
  SourceLocation at(const std::string& key) const {
    for (const std::string& scope : scopes_) {
      const json& object = scope.empty() ? json_.root : json_.root["text_config"];
      const auto found = object.find(key);
      if (found != object.end() && !found->is_null()) {
        return json_.keys.at(scope.empty() ? std::vector<std::string>{key}
                                           : std::vector<std::string>{"text_config", key});
      }
    }
    return scopes_.front().empty() ? file_ : json_.keys.at({"text_config"});
  }

  [[noreturn]] void refuse(const std::string& key, const std::string& rule) const {
    const json* value = find(key);
    const std::string shown = value == nullptr        ? " is missing"
                              : value->is_primitive() ? fmt::format(" = {}", value->dump())
                                                      : "";
    throw InputError(at(key), fmt::format("{}{}: {}", key, shown, rule));
  }

  // The number, within the bounds that `field` of the model has; where that stands is noted.
  int integer(const std::string& field, const std::string& key, FieldLocations& where) const {
    const json* value = find(key);
    where.place(field, at(key));
    if (value == nullptr) refuse(key, "this model type needs it");
    if (!value->is_number_integer()) refuse(key, "expected an integer");
    check_bound(value->get<double>(), field, model_bounds(), where);
    return value->get<int>();
  }

  bool boolean_or(bool otherwise, const std::string& key) const {
    const json* value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) refuse(key, "expected true or false");
    return value->get<bool>();
  }

  // REQUIRES: there is such a key.
  JsonObject object(const std::string& key) const {
    const json* value = find(key);
    if (!value->is_object()) refuse(key, "expected an object");
    for (const std::string& scope : scopes_) {
      const json& inside = scope.empty() ? json_.root : json_.root["text_config"];
      if (!inside.contains(key) || &*inside.find(key) != value) continue;
      std::vector<std::string> path = {key};
      if (!scope.empty()) path.insert(path.begin(), "text_config");
      return {json_, *value, path, at(key)};
    }
    refuse(key, "expected an object");
  }

  // The keys of the language model that say something.
  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    for (const std::string& scope : scopes_) {
      const json& object = scope.empty() ? json_.root : json_.root["text_config"];
      for (const auto& [key, value] : object.items()) {
        const bool says_nothing = value.is_null() || value == json(false) || value == json(0) ||
                                  (value.is_structured() && value.empty());
        if (!says_nothing) keys.push_back(key);
      }
    }
    return keys;
  }

  std::string string(const std::string& key, const std::string& rule) const {
    const json* value = find(key);
    if (value == nullptr || !value->is_string()) refuse(key, rule);
    return value->get<std::string>();
  }

 private:
  SourceLocation file_;
  JsonDocument json_;
  std::vector<std::string> scopes_;
};

// What differs between the model types; all gate their FFN (SwiGLU).
struct Family {
  const char* model_type;
  bool multi_head_by_default;     // num_key_value_heads may be missing: as many as heads
  bool head_dim_by_default;       // head_dim may be missing: hidden_size / num_attention_heads
  const char* experts = nullptr;  // the keys of the experts; null: a dense model
  const char* expert_width = nullptr;
  const char* note = nullptr;
  const char* expert_block = "mlp";  // its name in checkpoints
};
constexpr const char* kQkNorms =
    "the norms of Q and K (2 x head_dim weights per layer) are not counted";
constexpr Family kFamilies[] = {
    {"llama", true, true},
    {"mistral", false, true},
    {"mixtral", false, true, "num_local_experts", "intermediate_size", nullptr, "block_sparse_moe"},
    {"qwen3", false, false, nullptr, nullptr, kQkNorms},
    {"qwen3_moe", false, false, "num_experts", "moe_intermediate_size", kQkNorms},
    {"deepseek", true, true, "n_routed_experts", "moe_intermediate_size"},
};

const Family& family_of(const Config& config) {
  std::string known;
  for (const Family& family : kFamilies) known += fmt::format(" {}", family.model_type);
  const std::string rule =
      fmt::format("only{} are read, write another model as a textproto", known);
  const std::string type = config.string("model_type", rule);
  for (const Family& family : kFamilies) {
    if (type == family.model_type) return family;
  }
  config.refuse("model_type", rule);
}

// Sliding-window attention. Qwen's configs carry a window that use_sliding_window turns off; a
// window as long as the context is none; Mistral's class has one where its file says nothing.
void refuse_window(const Config& config) {
  const json* model_type = config.find("model_type");
  const std::string type =
      model_type != nullptr && model_type->is_string() ? model_type->get<std::string>() : "";
  const json* window = config.find("sliding_window");
  if (window == nullptr) {
    if (type == "mistral" && !config.says("sliding_window")) {
      config.refuse("sliding_window",
                    "a mistral without it has a window of 4096 tokens "
                    "(transformers' default), which is not modelled: write null "
                    "if it has none");
    }
    return;
  }
  if (!config.boolean_or(!type.starts_with("qwen"), "use_sliding_window")) return;
  const json* longest = config.find("max_position_embeddings");
  const bool whole = longest != nullptr && longest->is_number_integer() &&
                     window->is_number_integer() && *window >= *longest;
  if (!whole) config.refuse("sliding_window", "sliding-window attention is not modelled");
}

void refuse_what_is_not_modelled(const Config& config) {
  for (const NotModelled& refusal : keys_not_modelled()) {
    const json* value = config.find(refusal.key);
    const bool says_nothing = value == nullptr || *value == 0 || *value == false ||
                              (value->is_structured() && value->empty());
    if (!says_nothing) config.refuse(refusal.key, fmt::format("{} is not modelled", refusal.what));
  }
  const json* layer_types = config.find("layer_types");
  if (layer_types != nullptr) {
    for (const json& type : *layer_types) {
      if (type == "full_attention") continue;
      config.refuse("layer_types", fmt::format("{} is not modelled, only \"full_attention\" in "
                                               "every layer",
                                               type.dump()));
    }
  }
  refuse_window(config);
  for (const char* step : {"decoder_sparse_step", "moe_layer_freq"}) {
    const json* value = config.find(step);
    if (value != nullptr && *value != 1) {
      config.refuse(step, "interleaving MoE and dense layers is not modelled, only 1");
    }
  }
}

// The layers that have no experts must be the first ones.
int first_dense_layers(const Config& config, FieldLocations& where) {
  constexpr const char* kField = "moe.first_dense_layers";
  if (config.find("first_k_dense_replace") != nullptr) {
    return config.integer(kField, "first_k_dense_replace", where);
  }
  where.place(kField, config.at("mlp_only_layers"));
  const json* listed = config.find("mlp_only_layers");
  if (listed == nullptr) return 0;
  if (!listed->is_array()) config.refuse("mlp_only_layers", "expected a list of layers");
  for (std::size_t i = 0; i < listed->size(); ++i) {
    if ((*listed)[i] != i) {
      config.refuse("mlp_only_layers",
                    fmt::format("{} is not modelled, only the first layers 0, 1, ... in this order",
                                listed->dump()));
    }
  }
  return static_cast<int>(listed->size());
}

// Fills the message and notes where each field comes from.
class Reader {
 public:
  Reader(const SourceText& source, const SourceText* beside, FieldLocations& where)
      : config_(source), beside_(beside), where_(where) {}

  HfModel run() {
    refuse_what_is_not_modelled(config_);
    const Family& family = family_of(config_);
    proto::Model& model = result_.model;
    model.set_layers(integer("layers", "num_hidden_layers"));
    model.set_hidden(integer("hidden", "hidden_size"));
    model.set_vocab(integer("vocab", "vocab_size"));
    // transformers' own default is true, but every model type above overrides it with false.
    model.set_tied_embeddings(config_.boolean_or(false, "tie_word_embeddings"));
    where_.place("tied_embeddings", config_.at("tie_word_embeddings"));
    read_attention(family);
    read_ffn(family);
    read_dtypes(family);
    if (family.note != nullptr) result_.notes.emplace_back(family.note);
    for (const char* const tower : {"vision_config", "audio_config", "vit_config"}) {
      if (config_.find(tower) == nullptr) continue;
      result_.notes.push_back(fmt::format("{}: only the language model is counted", tower));
    }
    note_unknown_keys();
    return std::move(result_);
  }

 private:
  int integer(const std::string& field, const std::string& key) {
    return config_.integer(field, key, where_);
  }

  void read_attention(const Family& family) {
    proto::Attention& attention = *result_.model.add_attention();
    const int heads = integer("attention.heads", "num_attention_heads");
    attention.set_heads(heads);
    const bool all = config_.find("num_key_value_heads") == nullptr && family.multi_head_by_default;
    attention.set_kv_heads(all ? heads : integer("attention.kv_heads", "num_key_value_heads"));
    if (config_.find("head_dim") != nullptr || !family.head_dim_by_default) {
      attention.set_head_dim(integer("attention.head_dim", "head_dim"));
    } else {
      const int hidden = result_.model.hidden();
      if (hidden % heads != 0) {
        config_.refuse(
            "num_attention_heads",
            fmt::format("does not divide hidden_size = {}, and there is no head_dim", hidden));
      }
      attention.set_head_dim(hidden / heads);
      where_.place("attention.head_dim", config_.at("hidden_size"));
    }
    attention.set_bias(config_.boolean_or(false, "attention_bias"));
  }

  void read_ffn(const Family& family) {
    if (family.experts == nullptr) return read_dense();
    proto::MixtureOfExperts& moe = *result_.model.mutable_moe();
    moe.set_experts(integer("moe.experts", family.experts));
    moe.set_top_k(integer("moe.top_k", "num_experts_per_tok"));
    moe.mutable_expert()->set_width(integer("moe.expert.width", family.expert_width));
    moe.mutable_expert()->set_gated(true);
    const int dense_layers = first_dense_layers(config_, where_);
    moe.set_first_dense_layers(dense_layers);
    if (dense_layers > 0) read_dense();
    if (config_.find("n_shared_experts") == nullptr) return;
    moe.set_shared_experts(integer("moe.shared_experts", "n_shared_experts"));
    moe.mutable_shared()->set_width(integer("moe.shared.width", family.expert_width));
    moe.mutable_shared()->set_gated(true);
  }

  void read_dense() {
    proto::FeedForward& dense = *result_.model.add_dense();
    dense.set_width(integer("dense.width", "intermediate_size"));
    dense.set_gated(true);
  }

  void read_dtypes(const Family& family) {
    const std::string key = config_.find("dtype") != nullptr ? "dtype" : "torch_dtype";
    const std::string rule = "expected \"bfloat16\", \"float16\" or \"float32\"";
    const std::string name = config_.string(key, rule);
    const auto dtype = name == "bfloat16"  ? std::optional(proto::Model::bf16)
                       : name == "float16" ? std::optional(proto::Model::fp16)
                       : name == "float32" ? std::optional(proto::Model::fp32)
                                           : std::nullopt;
    if (!dtype) config_.refuse(key, rule);
    result_.model.set_weight_dtype(*dtype);
    result_.model.set_activation_dtype(*dtype);
    result_.model.set_kv_dtype(*dtype);
    where_.place("weight_dtype", config_.at(key));
    read_quantisation_of(family);
  }

  // As the files say; ModelOpt's, where there is one, says all.
  void read_quantisation_of(const Family& family) {
    check_bounds(result_.model, model_bounds(), where_);  // modules of every layer are tried
    const std::string block = family.expert_block;
    if (beside_ != nullptr) {
      refuse_another_method();
      const JsonDocument document = parse_json(*beside_);
      const JsonObject file(document, document.root, {}, beside_->at(0));
      if (!document.root.is_object()) throw InputError(file.where(), "expected a JSON object");
      refuse_another_algorithm(file.object("quantization"));
      take(read_quantisation(file.object("quantization"), QuantisationFile::kModelOpt,
                             result_.model, block));
      return;
    }
    for (const char* const key : kStatements) {
      if (config_.find(key) == nullptr) continue;
      take(read_quantisation(config_.object(key), QuantisationFile::kConfig, result_.model, block));
      return;
    }
  }

  void refuse_another_method() const {
    for (const char* const key : kStatements) {
      if (config_.find(key) == nullptr) continue;
      const JsonObject statement = config_.object(key);
      const std::string method = statement.string_or("", "quant_method");
      if (method.starts_with("modelopt")) continue;
      statement.refuse("quant_method", fmt::format("{} beside it says how ModelOpt quantised the "
                                                   "checkpoint: one of the two holds",
                                                   beside_->path));
    }
  }

  // Newer checkpoints say it in both files; the two must agree.
  void refuse_another_algorithm(const JsonObject& beside) const {
    for (const char* const key : kStatements) {
      if (config_.find(key) == nullptr) continue;
      const JsonObject statement = config_.object(key);
      const std::string here = statement.string_or("", "quant_algo");
      const std::string there = beside.string_or("", "quant_algo");
      if (here.empty() || here == there) continue;
      statement.refuse("quant_algo", fmt::format("{} beside it says \"{}\": the two must agree",
                                                 beside_->path, there));
    }
  }

  void take(const Quantisation& quantisation) {
    for (const proto::Storage& storage : quantisation.storage) {
      *result_.model.add_storage() = storage;
    }
    if (quantisation.kv_dtype) result_.model.set_kv_dtype(*quantisation.kv_dtype);
    result_.notes.insert(result_.notes.end(), quantisation.notes.begin(), quantisation.notes.end());
  }

  void note_unknown_keys() {
    std::string unknown;
    for (const std::string& key : config_.keys()) {
      if (!is_known_key(key)) unknown += fmt::format("{}{}", unknown.empty() ? "" : ", ", key);
    }
    if (unknown.empty()) return;
    result_.notes.push_back("keys that are not understood and not used: " + unknown);
  }

  static constexpr const char* kStatements[] = {"quantization_config", "compression_config"};

  Config config_;
  const SourceText* beside_;
  FieldLocations& where_;
  HfModel result_;
};

}  // namespace

HfModel read_hf_config(const SourceText& source, const SourceText* quantisation,
                       FieldLocations& where) {
  return Reader(source, quantisation, where).run();
}

}  // namespace rehearse
