// The parts that all families have: which one it is, dtypes, what is left over.
#include "input/hf_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/nearest_name.hpp"
#include "base/utf8.hpp"
#include "input/hf/config.hpp"
#include "input/hf/family_reader.hpp"
#include "input/hf/keys.hpp"
#include "input/hf/towers.hpp"
#include "input/quantisation.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

constexpr const char* kEncoders = "is_encoder_decoder";

const Family& family_of(const HfConfig& config) {
  if (config.document().root.contains("_class_name")) {
    config.refuse("_class_name", "a diffusion model: only decoders of tokens are read");
  }
  if (config.boolean_or(false, kEncoders)) {
    config.refuse(kEncoders, "a model with an encoder is not modelled");
  }
  constexpr const char* kRule =
      "docs/models.md lists the model types that are read; write another model as a textproto";
  const std::string type = config.string("model_type", kRule);
  std::vector<std::string> known;
  for (const Family& family : families()) {
    if (type == family.model_type) return family;
    known.emplace_back(family.model_type);
  }
  const std::string near = nearest_name(type, known);
  config.refuse("model_type", near.empty()
                                  ? std::string("is not read: ") + kRule
                                  : fmt::format("is not read, did you mean \"{}\"?", near));
}

// The second is transformers' older name of it.
const char* key_of_dtype(const HfConfig& config) {
  config.ignore("dtype torch_dtype");
  return config.has("dtype") ? "dtype" : "torch_dtype";
}

proto::Model::Dtype dtype_of(const HfConfig& config, std::vector<std::string>& notes) {
  const char* const key = key_of_dtype(config);
  constexpr const char* kRule = "expected \"bfloat16\", \"float16\" or \"float32\"";
  if (!config.has(key)) {
    notes.emplace_back("the config has no dtype: bfloat16");
    return proto::Model::bf16;
  }
  std::string name = config.string(key, kRule);
  if (name.starts_with("torch.")) name = name.substr(name.find('.') + 1);
  if (name == "bfloat16") return proto::Model::bf16;
  if (name == "float16") return proto::Model::fp16;
  if (name == "float32") return proto::Model::fp32;
  config.refuse(key, kRule);
}

// Of config.json and the file beside it, of which ModelOpt's says all.
class QuantisationReader {
 public:
  QuantisationReader(const HfConfig& config, const Family& family, const SourceText* beside,
                     const std::vector<LayerParts>& parts)
      : config_(config), family_(family), beside_(beside), parts_(parts) {}

  void run(HfModel& result) const {
    const auto take = [&](const JsonObject& statement, QuantisationFile file) {
      const Quantisation read = read_quantisation(statement, file, result.model, parts_, family_);
      for (const proto::Storage& storage : read.storage) *result.model.add_storage() = storage;
      if (read.kv_dtype) result.model.set_kv_dtype(*read.kv_dtype);
      result.notes.insert(result.notes.end(), read.notes.begin(), read.notes.end());
    };
    const auto statement = stated();
    // DeepSeek-V4's NVFP4 files say in config.json what the other parts are.
    const bool mixed = statement && statement->find("quantized_layers") != nullptr &&
                       statement->string_or("", "quant_method") == "fp8";
    if (beside_ != nullptr) {
      const JsonDocument document = parse_json(*beside_);
      const JsonObject file(document, document.root, {}, beside_->at(0));
      if (!document.root.is_object()) throw InputError(file.where(), "expected a JSON object");
      const JsonObject said = file.object("quantization");
      refuse_contradictions(said);
      if (!mixed) return take(said, QuantisationFile::kModelOpt);
    }
    if (statement) take(*statement, QuantisationFile::kConfig);
  }

 private:
  std::optional<JsonObject> stated() const {
    for (const char* const key : {"quantization_config", "compression_config"}) {
      if (config_.has(key)) return config_.object(key);
    }
    return std::nullopt;
  }

  // Newer checkpoints say it in both files; the two must agree.
  void refuse_contradictions(const JsonObject& beside) const {
    const auto statement = stated();
    if (!statement) return;
    const std::string here = statement->string_or("", "quant_algo");
    const std::string there = beside.string_or("", "quant_algo");
    const std::string method = statement->string_or("", "quant_method");
    if (!method.empty() && !method.starts_with("modelopt") && here.empty()) {
      statement->refuse("quant_method", fmt::format("{} beside it says how ModelOpt quantised the "
                                                    "checkpoint: one of the two holds",
                                                    beside_->path));
    }
    if (here.empty() || here == there) return;
    statement->refuse("quant_algo", fmt::format("{} beside it says \"{}\": the two must agree",
                                                beside_->path, there));
  }

  const HfConfig& config_;
  const Family& family_;
  const SourceText* beside_;
  const std::vector<LayerParts>& parts_;
};

// DeepSeek-V4 says its experts' dtype beside the quantisation: e2m1 with an e8m0 scale for 32.
std::optional<proto::Storage> dtype_of_experts(const HfConfig& config) {
  constexpr const char* kKey = "expert_dtype";
  if (!config.has(kKey)) return std::nullopt;
  const std::string dtype = config.string(kKey, "expected \"fp4\" or \"fp8\"");
  if (dtype == "fp8") return std::nullopt;  // as the rest
  if (dtype != "fp4") config.refuse(kKey, "expected \"fp4\" or \"fp8\"");
  constexpr int kBlock = 32;
  proto::Storage storage;
  storage.set_dtype(proto::Model::fp4);
  storage.set_arithmetic(proto::Model::fp8);
  storage.set_scale_bytes(1);
  storage.set_block_outputs(1);
  storage.set_block_inputs(kBlock);
  storage.add_part(proto::Storage::expert_up);
  storage.add_part(proto::Storage::expert_down);
  return storage;
}

// But not where ModelOpt has made 4 bits of the experts itself.
void add_unless_named(const proto::Storage& of_experts, proto::Model& model) {
  for (const proto::Storage& storage : model.storage()) {
    const auto& parts = storage.part();
    const bool experts =
        std::find(parts.begin(), parts.end(), proto::Storage::expert_up) != parts.end();
    if (experts && storage.dtype() == proto::Model::fp4) return;
  }
  *model.add_storage() = of_experts;
}

void use_byte_scales(proto::Model& model) {
  for (proto::Storage& storage : *model.mutable_storage()) {
    if (storage.dtype() == proto::Model::fp8 && storage.block_inputs() > 0) {
      storage.set_scale_bytes(1);
    }
  }
}

// What no reader has looked up: refused where it changes arithmetic, else said once.
void account_for_the_rest(const HfConfig& config, std::vector<std::string>& notes) {
  std::string unknown;
  for (const std::string& key : config.unread()) {
    const auto changing = keys_that_change_arithmetic();
    const auto found = std::find_if(changing.begin(), changing.end(),
                                    [&](const NotUnderstood& each) { return each.key == key; });
    if (found != changing.end()) {
      config.refuse(key, fmt::format("{}: not understood for this model type", found->what));
    }
    if (!is_harmless(key))
      unknown += fmt::format("{}{}", unknown.empty() ? "" : ", ", shortened(key));
  }
  if (!unknown.empty()) notes.push_back("keys that are not understood and not used: " + unknown);
}

}  // namespace

HfModel read_hf_config(const SourceText& source, const SourceText* quantisation,
                       FieldLocations& where) {
  const HfConfig config(source);
  const Family& family = family_of(config);
  FamilyReader reader(config, family, where);
  const proto::Model::Dtype dtype = dtype_of(config, reader.notes());
  proto::Model& model = reader.model();
  model.set_weight_dtype(dtype);
  model.set_activation_dtype(dtype);
  model.set_kv_dtype(dtype);
  reader.place("weight_dtype", key_of_dtype(config));
  config.ignore(family.ignored);
  family.read(reader);
  reader.write_layers();
  read_towers(reader);
  config.ignore("quantization_config compression_config");
  const bool deepseek_v4 = family.traits.byte_scales;
  const std::optional<proto::Storage> of_experts =
      deepseek_v4 ? dtype_of_experts(config) : std::nullopt;
  account_for_the_rest(config, reader.notes());
  HfModel result{model, reader.notes()};
  QuantisationReader(config, family, quantisation, reader.parts()).run(result);
  if (deepseek_v4) use_byte_scales(result.model);
  if (of_experts) add_unless_named(*of_experts, result.model);
  return result;
}

}  // namespace rehearse
