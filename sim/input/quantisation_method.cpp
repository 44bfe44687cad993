// One function for each quant_method, one row for each algorithm of ModelOpt. Sources of the bytes:
// the checkpoints' own index files for fp8 in blocks (DeepSeek-V3 README_WEIGHTS), ModelOpt,
// compressed-tensors and gpt-oss; the layers' buffers in vLLM for gptq and awq; the documentation
// for bitsandbytes.
#include "input/quantisation_method.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace rehearse {
namespace {

using nlohmann::json;
using Dtype = proto::Model;

// Nothing in these changes bytes or arithmetic, or they are read below.
constexpr std::string_view kKnownKeys[] = {"quant_method",
                                           "weight_block_size",
                                           "activation_scheme",
                                           "modules_to_not_convert",
                                           "ignored_layers",
                                           "ignore",
                                           "exclude_modules",
                                           "fmt",
                                           "scale_fmt",
                                           "activation_scale_ub",
                                           "is_checkpoint_fp8_serialized",
                                           "config_groups",
                                           "format",
                                           "global_compression_ratio",
                                           "quantization_status",
                                           "kv_cache_scheme",
                                           "kv_cache_quant_algo",
                                           "quant_algo",
                                           "group_size",
                                           "quantized_layers",
                                           "producer",
                                           "version",
                                           "sparsity_config",
                                           "transform_config",
                                           "bits",
                                           "w_bit",
                                           "q_group_size",
                                           "zero_point",
                                           "desc_act",
                                           "sym",
                                           "static_groups",
                                           "true_sequential",
                                           "damp_percent",
                                           "damp_auto_increment",
                                           "dataset",
                                           "model_name_or_path",
                                           "model_file_base_name",
                                           "lm_head",
                                           "modules_in_block_to_quantize",
                                           "dynamic",
                                           "checkpoint_format",
                                           "meta",
                                           "tokenizer",
                                           "model_seqlen",
                                           "batch_size",
                                           "block_name_to_quantize",
                                           "module_name_preceding_first_block",
                                           "use_cuda_fp16",
                                           "use_exllama",
                                           "disable_exllama",
                                           "exllama_config",
                                           "max_input_length",
                                           "cache_block_outputs",
                                           "pad_token_id",
                                           "backend",
                                           "do_fuse",
                                           "fuse_max_seq_len",
                                           "modules_to_fuse",
                                           "load_in_4bit",
                                           "load_in_8bit",
                                           "_load_in_4bit",
                                           "_load_in_8bit",
                                           "bnb_4bit_compute_dtype",
                                           "bnb_4bit_quant_type",
                                           "bnb_4bit_quant_storage",
                                           "bnb_4bit_use_double_quant",
                                           "llm_int8_skip_modules",
                                           "llm_int8_threshold",
                                           "llm_int8_enable_fp32_cpu_offload",
                                           "llm_int8_has_fp16_weight",
                                           "dequantize",
                                           "has_zero_point",
                                           "pre_quant_scale"};

constexpr std::array kLayerParts = {proto::Storage::qkv,
                                    proto::Storage::attention_output,
                                    proto::Storage::expert_up,
                                    proto::Storage::expert_down,
                                    proto::Storage::shared_expert_up,
                                    proto::Storage::shared_expert_down,
                                    proto::Storage::dense_up,
                                    proto::Storage::dense_down};

proto::Storage storage_of(proto::Model::Dtype dtype, proto::Model::Dtype arithmetic) {
  proto::Storage storage;
  storage.set_dtype(dtype);
  storage.set_arithmetic(arithmetic);
  return storage;
}

// A scale for `inputs` elements (all: 0) of one output.
void set_groups(proto::Storage& storage, int inputs, double scale_bytes) {
  storage.set_scale_bytes(scale_bytes);
  storage.set_block_outputs(1);
  if (inputs > 0) storage.set_block_inputs(inputs);
}

class MethodReader {
 public:
  MethodReader(const JsonObject& statement, const proto::Model& model,
               ModuleList::Patterns patterns)
      : statement_(statement),
        model_(model),
        method_(patterns, model.layers(), model.moe().experts()) {}

  QuantisationMethod fp8() {
    proto::Storage storage = storage_of(Dtype::fp8, Dtype::fp8);
    check_activation_scheme();
    const json* block = statement_.find("weight_block_size");
    if (block != nullptr) {
      set_block(*block, "weight_block_size", storage);
    } else {
      constexpr double kScales = 8;  // of the weights and of the inputs, fp32
      storage.set_bytes_per_matrix(kScales);
    }
    return in_layers(storage, {"modules_to_not_convert", "ignored_layers"});
  }

  // One fp32 scale for every output.
  QuantisationMethod fbgemm_fp8() {
    proto::Storage storage = storage_of(Dtype::fp8, Dtype::fp8);
    constexpr double kScale = 4;
    set_groups(storage, 0, kScale);
    return in_layers(storage, {"modules_to_not_convert"});
  }

  // fp16 scales, zero points of as many bits as the weights, and the group of every input in int32.
  QuantisationMethod gptq() {
    refuse_unless_empty("modules_in_block_to_quantize");
    refuse_unless_empty("dynamic");
    proto::Storage storage = integer_groups("bits", "group_size");
    constexpr double kGroupIndex = 4;
    storage.set_bytes_per_input(kGroupIndex);
    if (statement_.boolean_or(false, "lm_head")) method_.of_part[proto::Storage::lm_head] = 0;
    return in_layers(storage, {"modules_to_not_convert"});
  }

  QuantisationMethod awq() {
    const bool long_names = statement_.find("bits") != nullptr;
    return in_layers(
        integer_groups(long_names ? "bits" : "w_bit", long_names ? "group_size" : "q_group_size"),
        {"modules_to_not_convert"});
  }

  // 4 bits: an fp32 scale for 64 elements, or, quantised again, a byte for 64 and an fp32 for 256
  // of these; 8 bits: an fp32 for each output.
  QuantisationMethod bitsandbytes() {
    const bool four = statement_.boolean_or(false, "load_in_4bit") ||
                      statement_.boolean_or(false, "_load_in_4bit");
    const bool eight = statement_.boolean_or(false, "load_in_8bit") ||
                       statement_.boolean_or(false, "_load_in_8bit");
    if (four == eight) statement_.refuse("load_in_4bit", "one of load_in_4bit and load_in_8bit");
    constexpr int kBlock = 64;
    constexpr double kScale = 4;
    constexpr double kScaleOfScales = 1 + kScale / 256;
    proto::Storage storage = storage_of(four ? Dtype::int4 : Dtype::int8,
                                        four ? model_.activation_dtype() : Dtype::int8);
    const bool twice = statement_.boolean_or(false, "bnb_4bit_use_double_quant");
    set_groups(storage, four ? kBlock : 0, four && twice ? kScaleOfScales : kScale);
    method_.notes.emplace_back(
        "quant_method bitsandbytes: bytes of scales as its documentation says, not checked in a "
        "checkpoint");
    return in_layers(storage, {"llm_int8_skip_modules"});
  }

  // The experts alone, an e8m0 scale for 32 elements.
  QuantisationMethod mxfp4() {
    proto::Storage storage = storage_of(Dtype::fp4, model_.activation_dtype());
    constexpr int kBlock = 32;
    set_groups(storage, kBlock, 1);
    method_.schemes.push_back(storage);
    method_.of_part[proto::Storage::expert_up] = method_.of_part[proto::Storage::expert_down] = 0;
    return finish({"modules_to_not_convert"});
  }

  QuantisationMethod modelopt() {
    if (statement_.find("quant_algo") == nullptr) {
      if (statement_.find("config_groups") != nullptr) return compressed_tensors();
      if (statement_.find("kv_cache_quant_algo") == nullptr) {
        statement_.refuse("quant_algo", "expected a ModelOpt algorithm: \"FP8\", \"NVFP4\" ...");
      }
      return finish({});  // the KV cache alone
    }
    if (statement_.string_or("", "quant_algo") == "MIXED_PRECISION") return mixed_precision();
    const json* excluded = statement_.find("exclude_modules");
    if (excluded == nullptr) excluded = statement_.find("ignore");
    if (excluded == nullptr || excluded->empty()) {
      method_.notes.push_back(fmt::format(
          "{}: no exclude_modules: embedding, LM head, router and norms count as not quantised",
          statement_.path()));
    }
    return in_layers(algorithm(statement_), {"exclude_modules", "ignore"});
  }

  QuantisationMethod compressed_tensors() {
    const json* sparsity = statement_.find("sparsity_config");
    if (sparsity != nullptr && !sparsity->empty() &&
        sparsity->value("format", json("dense")) != json("dense")) {
      statement_.refuse("sparsity_config", "sparse weights are not modelled, only \"dense\"");
    }
    const JsonObject groups = statement_.object("config_groups");
    for (const auto& [name, group] : groups.value().items()) {
      if (!group.is_object()) groups.refuse(name, "expected an object");
      add_group(groups.object(name));
    }
    return finish({"ignore"});
  }

 private:
  QuantisationMethod in_layers(const proto::Storage& storage,
                               const std::vector<std::string>& lists) {
    method_.schemes.push_back(storage);
    for (const proto::Storage::Part part : kLayerParts) method_.of_part[part] = 0;
    return finish(lists);
  }

  QuantisationMethod finish(const std::vector<std::string>& lists) {
    for (const std::string& key : lists) {
      for (const std::string& word : words(statement_, key)) {
        method_.ignored.add(word, 0, statement_.at(key));
      }
      method_.ignored.check_experts(statement_.at(key));
    }
    note_unknown_keys();
    return std::move(method_);
  }

  void note_unknown_keys() {
    for (const auto& [key, value] : statement_.value().items()) {
      const bool says_nothing = value.is_null() || value == json(false) || value == json(0) ||
                                (value.is_structured() && value.empty());
      if (says_nothing ||
          std::find(std::begin(kKnownKeys), std::end(kKnownKeys), key) != std::end(kKnownKeys)) {
        continue;
      }
      method_.notes.push_back(
          fmt::format("{}.{} is not understood and not used", statement_.path(), key));
    }
  }

  static std::vector<std::string> words(const JsonObject& object, const std::string& key) {
    const json* list = object.find(key);
    if (list == nullptr) return {};
    if (!list->is_array()) object.refuse(key, "expected a list of modules");
    std::vector<std::string> result;
    for (const json& word : *list) {
      if (!word.is_string() || word.get_ref<const std::string&>().empty()) {
        object.refuse(key, "expected a list of modules' names");
      }
      result.push_back(word.get<std::string>());
    }
    return result;
  }

  void check_activation_scheme() const {
    const std::string scheme = statement_.string_or("dynamic", "activation_scheme");
    if (scheme != "dynamic" && scheme != "static") {
      statement_.refuse("activation_scheme", "expected \"dynamic\" or \"static\"");
    }
  }

  void refuse_unless_empty(const std::string& key) const {
    const json* value = statement_.find(key);
    if (value == nullptr || (value->is_structured() && value->empty())) return;
    statement_.refuse(key, "quantising some modules in their own way is not modelled for gptq");
  }

  // [outputs, inputs] that share an fp32 scale.
  void set_block(const json& block, const std::string& key, proto::Storage& storage) const {
    constexpr int kLargest = 1 << 20;
    bool good = block.is_array() && block.size() == 2;
    for (std::size_t at = 0; good && at < 2; ++at) {
      good = block[at].is_number_integer() && block[at] >= 1 && block[at] <= kLargest;
    }
    if (!good) statement_.refuse(key, "expected two integers from 1 on: [outputs, inputs]");
    constexpr double kScale = 4;
    storage.set_block_outputs(block[0].get<int>());
    storage.set_block_inputs(block[1].get<int>());
    storage.set_scale_bytes(kScale);
  }

  proto::Storage integer_groups(const std::string& bits_key, const std::string& group_key) const {
    constexpr int kFour = 4;
    constexpr int kEight = 8;
    constexpr int kUsualGroup = 128;
    const int bits = statement_.integer_or(kFour, bits_key);
    if (bits != kFour && bits != kEight) {
      statement_.refuse(bits_key, "weights of 4 and of 8 bits are modelled, no others");
    }
    proto::Storage storage =
        storage_of(bits == kFour ? Dtype::int4 : Dtype::int8, model_.activation_dtype());
    constexpr double kScale = 2;
    set_groups(storage, group_size(statement_, group_key, kUsualGroup), kScale + bits / 8.0);
    return storage;
  }

  // 0: the whole row, which is written as -1.
  static int group_size(const JsonObject& object, const std::string& key, int usual) {
    const int size = object.integer_or(usual, key);
    if (size == 0) object.refuse(key, "expected a number of elements, or -1 for all");
    return std::max(size, 0);
  }

  struct Algorithm {
    std::string_view name;
    proto::Model::Dtype dtype;
    std::optional<proto::Model::Dtype> arithmetic;  // absent: the activations'
    int group;                                      // elements for a scale; 0: no such scales
    double scale_bytes;
    double bytes_per_matrix;
    double bytes_per_input;  // AWQ's scales of the inputs
  };

  proto::Storage algorithm(const JsonObject& object) const {
    constexpr int kRow = -1;
    constexpr int kTile = -2;  // 128 x 128
    static constexpr Algorithm kAlgorithms[] = {
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
    const std::string name = object.string_or("", "quant_algo");
    std::string known;
    for (const Algorithm& each : kAlgorithms) {
      known += fmt::format(" {}", each.name);
      if (each.name != name) continue;
      proto::Storage storage =
          storage_of(each.dtype, each.arithmetic.value_or(model_.activation_dtype()));
      if (each.group == kTile) {
        set_block(json::array({128, 128}), "quant_algo", storage);
      } else if (each.group != 0) {
        const int usual = each.group == kRow ? 0 : each.group;
        const bool stated = usual > 0 && object.find("group_size") != nullptr;
        set_groups(storage, stated ? group_size(object, "group_size", usual) : usual,
                   each.scale_bytes);
      }
      storage.set_bytes_per_matrix(each.bytes_per_matrix);
      storage.set_bytes_per_input(each.bytes_per_input);
      return storage;
    }
    object.refuse("quant_algo", fmt::format("only{} MIXED_PRECISION are read", known));
  }

  // What is quantised is listed, each module with its algorithm.
  QuantisationMethod mixed_precision() {
    const JsonObject layers = statement_.object("quantized_layers");
    if (layers.value().empty()) {
      layers.refuse("quantized_layers", "lists no layer, so nothing says what is quantised");
    }
    std::vector<std::string> known;  // schemes as bytes
    for (const auto& [module, how] : layers.value().items()) {
      if (!how.is_object()) layers.refuse(module, "expected an object");
      const proto::Storage storage = algorithm(layers.object(module));
      const std::string bytes = storage.SerializeAsString();
      const auto at = std::find(known.begin(), known.end(), bytes);
      const int scheme = static_cast<int>(at - known.begin());
      if (at == known.end()) {
        known.push_back(bytes);
        method_.schemes.push_back(storage);
      }
      method_.targets.add(module, scheme, layers.at(module));
    }
    method_.targets.check_experts(layers.where());
    return finish({"exclude_modules", "ignore"});
  }

  // compressed-tensors: one of config_groups.
  void add_group(const JsonObject& group) {
    const int scheme = static_cast<int>(method_.schemes.size());
    method_.schemes.push_back(scheme_of(group));
    for (const std::string& target : words(group, "targets")) {
      if (target != "Linear") {
        method_.targets.add(target, scheme, group.at("targets"));
        continue;
      }
      for (const proto::Storage::Part part : kLayerParts) use(part, scheme);
      use(proto::Storage::router, scheme);
      use(proto::Storage::lm_head, scheme);
    }
  }

  void use(proto::Storage::Part part, int scheme) {
    if (method_.of_part[part] == kPlain) method_.of_part[part] = scheme;
  }

  proto::Model::Dtype type_of(const JsonObject& numbers) const {
    const int bits = numbers.integer_or(0, "num_bits");
    const std::string type = numbers.string_or("", "type");
    constexpr int kFour = 4;
    constexpr int kEight = 8;
    if (type != "int" && type != "float") numbers.refuse("type", "expected \"int\" or \"float\"");
    const bool whole = type == "int";
    if (bits == kEight) return whole ? Dtype::int8 : Dtype::fp8;
    if (bits == kFour) return whole ? Dtype::int4 : Dtype::fp4;
    numbers.refuse("num_bits", "numbers of 4 and of 8 bits are modelled, no others");
  }

  proto::Storage scheme_of(const JsonObject& group) {
    const JsonObject weights = group.object("weights");
    const proto::Model::Dtype dtype = type_of(weights);
    const bool weight_only = group.find("input_activations") == nullptr;
    proto::Storage storage =
        storage_of(dtype, weight_only ? model_.activation_dtype()
                                      : type_of(group.object("input_activations")));
    const std::string strategy = weights.string_or("tensor", "strategy");
    // 8-bit scales of 4-bit floats, else in the activations' dtype; of integers with a zero point.
    const bool float4 = dtype == Dtype::fp4;
    const bool symmetric = weights.boolean_or(true, "symmetric");
    constexpr double kScale = 2;
    const double scale = float4 ? 1 : kScale + (symmetric ? 0 : bits_of(dtype) / 8);
    if (strategy == "group" || strategy == "tensor_group") {
      const int usual = float4 ? 16 : 128;
      set_groups(storage, group_size(weights, "group_size", usual), scale);
    } else if (strategy == "channel") {
      set_groups(storage, 0, scale);
    } else if (strategy == "block") {
      const json* block = weights.find("block_structure");
      if (block == nullptr) weights.refuse("block_structure", "strategy \"block\" needs it");
      set_block_of(weights, *block, storage);
      storage.set_scale_bytes(scale);
    } else if (strategy != "tensor") {
      weights.refuse("strategy",
                     "expected \"tensor\", \"channel\", \"group\", \"tensor_group\" or \"block\"");
    }
    // The shape of packed integers (two int64); else a scale of the whole matrix.
    constexpr double kShape = 16;
    constexpr double kWholeScale = 4;
    if (dtype == Dtype::int4) {
      storage.set_bytes_per_matrix(kShape);
    } else if (strategy.starts_with("tensor")) {
      storage.set_bytes_per_matrix(kWholeScale);
    }
    return storage;
  }

  static double bits_of(proto::Model::Dtype dtype) {
    constexpr double kFour = 4;
    constexpr double kEight = 8;
    return dtype == Dtype::int4 || dtype == Dtype::fp4 ? kFour : kEight;
  }

  void set_block_of(const JsonObject& weights, const json& block, proto::Storage& storage) const {
    try {
      set_block(block, "block_structure", storage);
    } catch (const InputError& error) {
      weights.refuse("block_structure", "expected two integers from 1 on: [outputs, inputs]");
    }
  }

  const JsonObject& statement_;
  const proto::Model& model_;
  QuantisationMethod method_;
};

struct MethodRow {
  std::string_view name;
  QuantisationMethod (MethodReader::*read)();
  ModuleList::Patterns patterns;
};
constexpr MethodRow kMethods[] = {
    {"fp8", &MethodReader::fp8, ModuleList::Patterns::kGlobs},
    {"fbgemm_fp8", &MethodReader::fbgemm_fp8, ModuleList::Patterns::kGlobs},
    {"gptq", &MethodReader::gptq, ModuleList::Patterns::kGlobs},
    {"awq", &MethodReader::awq, ModuleList::Patterns::kGlobs},
    {"bitsandbytes", &MethodReader::bitsandbytes, ModuleList::Patterns::kGlobs},
    {"mxfp4", &MethodReader::mxfp4, ModuleList::Patterns::kGlobs},
    {"modelopt", &MethodReader::modelopt, ModuleList::Patterns::kGlobs},
    {"modelopt_fp4", &MethodReader::modelopt, ModuleList::Patterns::kGlobs},
    {"compressed-tensors", &MethodReader::compressed_tensors,
     ModuleList::Patterns::kRegularExpressions}};

}  // namespace

QuantisationMethod read_method(const JsonObject& statement, QuantisationFile file,
                               const proto::Model& model) {
  const bool beside = file == QuantisationFile::kModelOpt;
  // Some of ModelOpt's own statements do without a quant_method.
  const char* const unsaid = beside || statement.find("quant_algo") != nullptr ? "modelopt" : "";
  const std::string name = beside ? unsaid : statement.string_or(unsaid, "quant_method");
  std::string known;
  for (const MethodRow& row : kMethods) {
    known += fmt::format(" {}", row.name);
    if (row.name == name) return (MethodReader(statement, model, row.patterns).*row.read)();
  }
  statement.refuse("quant_method", fmt::format("only{} are read", known));
}

}  // namespace rehearse
