// A method says what it does to a module of a given name; here the modules of each part are tried
// in every layer, and layers in a row that are alike become one storage.
#include "input/quantisation.hpp"

#include <fmt/format.h>

#include <map>
#include <tuple>

#include "input/module_names.hpp"
#include "input/quantisation_method.hpp"

namespace rehearse {
namespace {

using nlohmann::json;
using Part = proto::Storage;

class StorageOfParts {
 public:
  StorageOfParts(const JsonObject& statement, QuantisationMethod& method, const proto::Model& model,
                 const std::vector<LayerParts>& layers, const ModuleNames& names)
      : statement_(statement), method_(method), model_(model), layers_(layers), names_(names) {}

  std::vector<proto::Storage> run() {
    for (int layer = 0; layer < model_.layers(); ++layer) {
      read_layer(layer, layers_[layer], fmt::format("model.layers.{}.", layer));
    }
    read_prediction();
    for (const auto& [part, runs] : runs_) add_runs(part, runs);
    if (!model_.tied_embeddings()) {
      const int scheme = scheme_of({Part::lm_head, {std::string(names_.head)}, {}}, "");
      if (scheme != kPlain) parts_[{scheme, kEveryLayer, kEveryLayer}].push_back(Part::lm_head);
    }
    mark_what_is_never_quantised();
    std::vector<proto::Storage> storage;
    for (const auto& [run, parts] : parts_) {
      const auto& [scheme, first, last] = run;
      proto::Storage& added = storage.emplace_back(method_.schemes[scheme]);
      for (const proto::Storage::Part part : parts) added.add_part(part);
      if (first == kEveryLayer) continue;
      added.set_first_layer(first);
      added.set_last_layer(last);
    }
    return storage;
  }

 private:
  static constexpr int kEveryLayer = -1;
  // Layers that have a part, in a row among those that do, and store it alike.
  struct Run {
    int scheme;
    int first;
    int last;
  };

  void read_layer(int layer, const LayerParts& parts, const std::string& prefix) {
    std::vector<PartModules>& modules = modules_of(parts);
    for (const PartModules& part : modules) {
      const int scheme = scheme_of(part, prefix);
      std::vector<Run>& runs = runs_[part.part];
      if (runs.empty() || runs.back().scheme != scheme) {
        runs.push_back({scheme, layer, layer});
      } else {
        runs.back().last = layer;
      }
    }
  }

  // The layers of token prediction are counted behind the model's.
  void read_prediction() {
    const proto::TokenPrediction& prediction = model_.prediction();
    int layer = model_.layers();
    int module = names_.predicted == "model.layers" ? layer : 0;
    for (int block = 0; block < prediction.layers(); ++block) {
      for (const proto::Layer& each : prediction.layer()) {
        LayerParts parts{each.attention(), {each.ffn().begin(), each.ffn().end()}};
        read_layer(layer++, parts, fmt::format("{}.{}.", names_.predicted, module++));
      }
    }
  }

  std::vector<PartModules>& modules_of(const LayerParts& parts) {
    std::string key = parts.attention;
    for (const std::string& ffn : parts.ffn) key += '\n' + ffn;
    const auto [at, is_new] = modules_.try_emplace(key);
    if (is_new) at->second = layer_modules(model_, parts, names_);
    return at->second;
  }

  void add_runs(proto::Storage::Part part, const std::vector<Run>& runs) {
    for (const Run& run : runs) {
      if (run.scheme == kPlain) continue;
      const bool all = runs.size() == 1;
      parts_[{run.scheme, all ? kEveryLayer : run.first, all ? kEveryLayer : run.last}].push_back(
          part);
    }
  }

  int scheme_of(const std::string& module, proto::Storage::Part part) {
    if (method_.ignored.find(module) != ModuleList::kNotListed) return kPlain;
    const int target = method_.targets.find(module);
    return target == ModuleList::kNotListed ? method_.of_part[part] : target;
  }

  int scheme_of(const PartModules& part, const std::string& prefix) {
    for (const std::string& name : part.others) {
      const int together = scheme_of(prefix + name, part.part);
      if (together != method_.of_part[part.part]) return together;
    }
    const int scheme = scheme_of(prefix + part.names.front(), part.part);
    for (const std::string& name : part.names) {
      const int other = scheme_of(prefix + name, part.part);
      if (other == scheme || !part.as_one) continue;
      throw InputError(statement_.where(),
                       fmt::format("{}{} and {} are stored in different ways: engines multiply "
                                   "them as one matrix, so that is not modelled",
                                   prefix, part.names.front(), name));
    }
    return scheme;
  }

  // So that a list that names them is not taken for one that is not understood.
  void mark_what_is_never_quantised() {
    for (const char* const module :
         {"model.embed_tokens", "model.norm", "lm_head", "head", "mtp", "mtp.layers.0",
          "mtp.layers.0.fc", "mtp.0", "mtp.fc", "vision_tower", "visual", "multi_modal_projector",
          "patch_merge_mlp", "mm_projector", "model.vision_tower", "model.embed_vision",
          "model.visual"}) {
      method_.ignored.find(module);
    }
    for (int layer = 0; layer <= model_.layers(); ++layer) {
      for (const char* const norm : {"input_layernorm",
                                     "post_attention_layernorm",
                                     "self_attn.q_norm",
                                     "self_attn.k_norm",
                                     "self_attn.q_a_layernorm",
                                     "self_attn.kv_a_layernorm",
                                     "self_attn.indexer.k_norm",
                                     "self_attn.indexer.weights_proj",
                                     "mlp.gate",
                                     "mlp.gate.e_score_correction_bias",
                                     "e_score_correction_bias",
                                     "mixer.conv1d",
                                     "linear_attn.conv1d",
                                     "linear_attn.norm",
                                     "eh_proj",
                                     "enorm",
                                     "hnorm",
                                     "shared_head.norm",
                                     "shared_head.head",
                                     "embed_tokens"}) {
        method_.ignored.find(fmt::format("model.layers.{}.{}", layer, norm));
      }
    }
  }

  const JsonObject& statement_;
  QuantisationMethod& method_;
  const proto::Model& model_;
  const std::vector<LayerParts>& layers_;
  const ModuleNames& names_;
  std::map<std::string, std::vector<PartModules>> modules_;  // by the layer's parts
  std::map<proto::Storage::Part, std::vector<Run>> runs_;
  // scheme, first layer, last layer
  std::map<std::tuple<int, int, int>, std::vector<proto::Storage::Part>> parts_;
};

std::optional<proto::Model::Dtype> kv_dtype_of(const JsonObject& statement) {
  if (statement.find("kv_cache_quant_algo") != nullptr) {
    const std::string algorithm = statement.string_or("", "kv_cache_quant_algo");
    if (algorithm == "FP8") return proto::Model::fp8;
    if (algorithm == "INT8") return proto::Model::int8;
    if (algorithm != "none" && algorithm != "None") {
      statement.refuse("kv_cache_quant_algo", "only \"FP8\", \"INT8\" and null are modelled");
    }
  }
  const json* const stated = statement.find("kv_cache_scheme");
  if (stated == nullptr) return std::nullopt;
  if (*stated == "FP8") return proto::Model::fp8;  // ModelOpt's earlier way
  const JsonObject scheme = statement.object("kv_cache_scheme");
  constexpr int kBits = 8;
  if (scheme.integer_or(0, "num_bits") != kBits) {
    scheme.refuse("num_bits", "a KV cache of 8 bits is modelled, no other");
  }
  const std::string type = scheme.string_or("", "type");
  if (type == "float") return proto::Model::fp8;
  if (type == "int") return proto::Model::int8;
  scheme.refuse("type", "expected \"float\" or \"int\"");
}

std::string unused_note(const std::string& list, const std::vector<std::string>& words) {
  constexpr std::size_t kShown = 3;
  std::string shown;
  for (std::size_t at = 0; at < words.size() && at < kShown; ++at) {
    shown += fmt::format("{}\"{}\"", at == 0 ? "" : ", ", words[at]);
  }
  return fmt::format("{}: {} of its entries mean no matrix that is counted: {}{}", list,
                     words.size(), shown, words.size() > kShown ? ", ..." : "");
}

}  // namespace

Quantisation read_quantisation(const JsonObject& statement, QuantisationFile file,
                               const proto::Model& model, const std::vector<LayerParts>& layers,
                               const Family& family) {
  QuantisationMethod method = read_method(statement, file, model);
  Quantisation result;
  result.kv_dtype = kv_dtype_of(statement);
  result.storage = StorageOfParts(statement, method, model, layers, family.names).run();
  result.notes = std::move(method.notes);
  const std::vector<std::string> ignored = method.ignored.unused();
  if (!ignored.empty()) {
    result.notes.push_back(unused_note(statement.path() + "'s list of what stays", ignored));
  }
  const std::vector<std::string> targets = method.targets.unused();
  if (!targets.empty()) {
    result.notes.push_back(unused_note(statement.path() + "'s list of what is quantised", targets));
  }
  return result;
}

}  // namespace rehearse
