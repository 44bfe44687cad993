// A method says what it does to a module of a given name; here the modules of each part are tried
// in every layer, and layers in a row that are alike become one storage.
#include "input/quantisation.hpp"

#include <fmt/format.h>

#include <map>
#include <tuple>

#include "input/quantisation_method.hpp"

namespace rehearse {
namespace {

using nlohmann::json;
using Part = proto::Storage;

// The matrices of a part by their names in checkpoints: below the layer's attention or feed-forward
// network.
struct PartModules {
  proto::Storage::Part part;
  std::vector<std::string> names;  // engines multiply them as one
  std::vector<std::string> fused;  // what they may be called together
};

std::vector<PartModules> attention_modules() {
  return {{Part::qkv,
           {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"},
           {"self_attn.qkv_proj"}},
          {Part::attention_output, {"self_attn.o_proj"}, {}}};
}

std::vector<PartModules> ffn_modules(proto::Storage::Part up, const std::string& path) {
  const auto down = static_cast<proto::Storage::Part>(up + 1);
  return {{up, {path + ".gate_proj", path + ".up_proj"}, {path + ".gate_up_proj"}},
          {down, {path + ".down_proj"}, {}}};
}

std::vector<PartModules> expert_modules(const std::string& block) {
  if (block != "mlp") {  // Mixtral's
    return {{Part::router, {block + ".gate"}, {}},
            {Part::expert_up, {block + ".experts.0.w1", block + ".experts.0.w3"}, {}},
            {Part::expert_down, {block + ".experts.0.w2"}, {}}};
  }
  std::vector<PartModules> modules = {
      {Part::router, {"mlp.gate"}, {}},
      {Part::expert_up,
       {"mlp.experts.0.gate_proj", "mlp.experts.0.up_proj"},
       {"mlp.experts.gate_up_proj", "mlp.experts.0.gate_up_proj"}},
      {Part::expert_down, {"mlp.experts.0.down_proj"}, {"mlp.experts.down_proj"}}};
  for (const PartModules& shared : ffn_modules(Part::shared_expert_up, "mlp.shared_experts")) {
    modules.push_back(shared);
  }
  return modules;
}

class StorageOfParts {
 public:
  StorageOfParts(const JsonObject& statement, QuantisationMethod& method, const proto::Model& model,
                 const std::string& expert_block)
      : statement_(statement), method_(method), model_(model), expert_block_(expert_block) {}

  std::vector<proto::Storage> run() {
    for (const PartModules& part : attention_modules()) add(part, true, true);
    for (const PartModules& part : ffn_modules(Part::dense_up, "mlp")) add(part, true, false);
    for (const PartModules& part : expert_modules(expert_block_)) add(part, false, true);
    if (!model_.tied_embeddings()) {
      const int scheme = scheme_of({Part::lm_head, {"lm_head"}, {}}, "");
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

  bool is_dense(int layer) const {
    return !model_.has_moe() || layer < model_.moe().first_dense_layers();
  }

  // Runs of layers that have the part and store it alike.
  void add(const PartModules& part, bool in_dense_layers, bool in_moe_layers) {
    const bool shared =
        part.part == Part::shared_expert_up || part.part == Part::shared_expert_down;
    if (shared && model_.moe().shared_experts() == 0) return;
    int scheme = kPlain;
    int first = -1;
    int last = -1;
    bool all = true;  // the run has every layer so far
    const auto close = [&](bool whole) {
      if (first < 0 || scheme == kPlain) return;
      parts_[{scheme, whole ? kEveryLayer : first, whole ? kEveryLayer : last}].push_back(
          part.part);
    };
    for (int layer = 0; layer < model_.layers(); ++layer) {
      if (!(is_dense(layer) ? in_dense_layers : in_moe_layers)) continue;
      const int here = scheme_of(part, fmt::format("model.layers.{}.", layer));
      if (first >= 0 && here != scheme) {
        close(false);
        all = false;
        first = -1;
      }
      if (first < 0) first = layer;
      scheme = here;
      last = layer;
    }
    close(all);
  }

  int scheme_of(const std::string& module, proto::Storage::Part part) {
    if (method_.ignored.find(module) != ModuleList::kNotListed) return kPlain;
    const int target = method_.targets.find(module);
    return target == ModuleList::kNotListed ? method_.of_part[part] : target;
  }

  int scheme_of(const PartModules& part, const std::string& prefix) {
    for (const std::string& name : part.fused) {
      const int together = scheme_of(prefix + name, part.part);
      if (together != method_.of_part[part.part]) return together;
    }
    const int scheme = scheme_of(prefix + part.names.front(), part.part);
    for (const std::string& name : part.names) {
      if (scheme_of(prefix + name, part.part) == scheme) continue;
      throw InputError(statement_.where(),
                       fmt::format("{}{} and {} are stored in different ways: engines multiply "
                                   "them as one matrix, so that is not modelled",
                                   prefix, part.names.front(), name));
    }
    return scheme;
  }

  // So that a list that names them is not taken for one that is not understood.
  void mark_what_is_never_quantised() {
    for (const char* const module : {"model.embed_tokens", "model.norm"}) {
      method_.ignored.find(module);
    }
    for (int layer = 0; layer < model_.layers(); ++layer) {
      for (const char* const norm : {"input_layernorm", "post_attention_layernorm",
                                     "self_attn.q_norm", "self_attn.k_norm"}) {
        method_.ignored.find(fmt::format("model.layers.{}.{}", layer, norm));
      }
    }
  }

  const JsonObject& statement_;
  QuantisationMethod& method_;
  const proto::Model& model_;
  const std::string& expert_block_;
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
  if (statement.find("kv_cache_scheme") == nullptr) return std::nullopt;
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
                               const proto::Model& model, const std::string& expert_block) {
  QuantisationMethod method = read_method(statement, file, model);
  Quantisation result;
  result.kv_dtype = kv_dtype_of(statement);
  result.storage = StorageOfParts(statement, method, model, expert_block).run();
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
