// Kinds of attention are told by the message that they have beside the common fields; layers name
// their attention and FFN, so the names are looked up here and faults told where they stand.
#include "input/read_layers.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/utf8.hpp"
#include "input/textproto.hpp"
#include "model/attention_kind.hpp"

namespace rehearse {
namespace {

using proto::Attention;

struct At {
  const FieldLocations& where;
  std::string path;

  [[noreturn]] void refuse(const std::string& field, const std::string& rule) const {
    const std::string full = field.empty() ? path : path + "." + field;
    throw InputError(where.at(full), fmt::format("{}: {}", full, rule));
  }
  void require(const google::protobuf::Message& part, const std::string& below,
               std::initializer_list<const char*> fields) const {
    for (const char* field : fields) {
      require_field(part, below.empty() ? path : path + "." + below, field, where);
    }
  }
};

Indexer indexer_of(const proto::Attention_Indexer& message, const At& at, const std::string& path) {
  at.require(message, path, {"heads", "head_dim", "top_k"});
  return {message.heads(), message.head_dim(), message.top_k(), message.shared()};
}

Latent latent_of(const Attention& message, const At& at) {
  const auto& latent = message.latent();
  at.require(latent, "latent", {"kv_rank", "nope_dim", "rope_dim", "value_dim"});
  Latent read{latent.query_rank(), latent.kv_rank(), latent.nope_dim(), latent.rope_dim(),
              latent.value_dim()};
  if (message.has_indexer()) read.indexer = indexer_of(message.indexer(), at, "indexer");
  return read;
}

Compressed compressed_of(const Attention& message, const At& at) {
  const auto& compressed = message.compressed();
  at.require(compressed, "compressed", {"query_rank", "ratio", "output_groups", "output_rank"});
  Compressed read{compressed.query_rank(), compressed.rope_dim(), compressed.ratio(),
                  compressed.output_groups(), compressed.output_rank()};
  if (compressed.has_indexer()) {
    read.indexer = indexer_of(compressed.indexer(), at, "compressed.indexer");
  }
  return read;
}

BlockSparse block_sparse_of(const Attention& message, const At& at) {
  const auto& sparse = message.block_sparse();
  at.require(sparse, "block_sparse", {"index_heads", "index_dim", "block", "blocks"});
  return {sparse.index_heads(), sparse.index_dim(), sparse.block(), sparse.blocks()};
}

GatedDelta gated_delta_of(const Attention& message, const At& at) {
  const auto& delta = message.gated_delta();
  at.require(delta, "gated_delta",
             {"key_heads", "value_heads", "key_dim", "value_dim", "convolution"});
  return {delta.key_heads(), delta.value_heads(), delta.key_dim(), delta.value_dim(),
          delta.convolution()};
}

KimiDelta kimi_delta_of(const Attention& message, const At& at) {
  const auto& delta = message.kimi_delta();
  at.require(delta, "kimi_delta", {"heads", "head_dim", "convolution"});
  return {delta.heads(), delta.head_dim(), delta.convolution(), delta.full_rank_gate()};
}

Lightning lightning_of(const Attention& message, const At& /*at*/) {
  Lightning read;
  if (message.lightning().has_block()) read.block = message.lightning().block();
  return read;
}

Mamba2 mamba2_of(const Attention& message, const At& at) {
  const auto& mamba = message.mamba2();
  at.require(mamba, "mamba2", {"heads", "head_dim", "groups", "state", "convolution"});
  Mamba2 read{mamba.heads(), mamba.head_dim(), mamba.groups(), mamba.state(), mamba.convolution()};
  if (mamba.has_chunk()) read.chunk = mamba.chunk();
  return read;
}

Mamba mamba_of(const Attention& message, const At& at) {
  const auto& mamba = message.mamba();
  at.require(mamba, "mamba", {"inner", "state", "convolution", "rank"});
  return {mamba.inner(), mamba.state(), mamba.convolution(), mamba.rank(), mamba.norms()};
}

using Needed = std::vector<const char*>;

struct KindReader {
  const char* field;  // the message that tells it
  bool (*is)(const Attention&);
  Needed needs;    // of the common fields
  bool is_linear;  // has no keys and values
  AttentionShapeOfKind (*read)(const Attention&, const At&);
};

template <auto kRead>
AttentionShapeOfKind shape(const Attention& message, const At& at) {
  return kRead(message, at);
}

const std::vector<KindReader>& readers() {
  static const Needed kHeads = {"heads", "kv_heads", "head_dim"};
  static const std::vector<KindReader> kAll = {
      {"block_sparse", [](const Attention& a) { return a.has_block_sparse(); }, kHeads, false,
       shape<block_sparse_of>},
      {"latent",
       [](const Attention& a) { return a.has_latent(); },
       {"heads"},
       false,
       shape<latent_of>},
      {"compressed",
       [](const Attention& a) { return a.has_compressed(); },
       {"heads", "head_dim", "window"},
       false,
       shape<compressed_of>},
      {"gated_delta",
       [](const Attention& a) { return a.has_gated_delta(); },
       {},
       true,
       shape<gated_delta_of>},
      {"kimi_delta",
       [](const Attention& a) { return a.has_kimi_delta(); },
       {},
       true,
       shape<kimi_delta_of>},
      {"lightning",
       [](const Attention& a) { return a.has_lightning(); },
       {"heads", "head_dim"},
       true,
       shape<lightning_of>},
      {"mamba2", [](const Attention& a) { return a.has_mamba2(); }, {}, true, shape<mamba2_of>},
      {"mamba", [](const Attention& a) { return a.has_mamba(); }, {}, true, shape<mamba_of>}};
  return kAll;
}

const KindReader* reader_of(const Attention& message, const At& at) {
  const KindReader* found = nullptr;
  for (const KindReader& each : readers()) {
    if (!each.is(message)) continue;
    if (found != nullptr) {
      at.refuse(each.field, fmt::format("{} is given, too: one of them holds", found->field));
    }
    found = &each;
  }
  return found;
}

// Fields that mean nothing to the kind, which would change numbers if they were understood.
void refuse_what_has_no_meaning(const Attention& message, const KindReader* reader, const At& at) {
  const auto refuse = [&](bool given, const char* field, const char* needs) {
    if (given) at.refuse(field, fmt::format("belongs to {}", needs));
  };
  const bool grouped = reader == nullptr || message.has_block_sparse();
  const bool linear = reader != nullptr && reader->is_linear;
  refuse(message.has_indexer() && !message.has_latent(), "indexer", "latent attention");
  refuse(message.has_window() && !(reader == nullptr || message.has_compressed()), "window",
         "attention over heads and compressed attention");
  refuse(message.has_chunk() && reader != nullptr, "chunk", "attention over heads");
  refuse(message.keys_are_values() && !grouped, "keys_are_values", "attention over heads");
  refuse(message.shares_kv() && reader != nullptr, "shares_kv", "attention over heads");
  refuse(message.kv_weights() && !message.shares_kv(), "kv_weights", "shares_kv");
  refuse(message.has_value_dim() && !grouped, "value_dim", "attention over heads");
  refuse(message.qk_norm() != Attention::none && !grouped, "qk_norm", "attention over heads");
  refuse(message.sinks() && !(grouped || message.has_compressed()), "sinks",
         "attention over heads and compressed attention");
  refuse(message.output_gate() != Attention::ungated && !(grouped || message.has_latent()),
         "output_gate", "attention over heads and latent attention");
  refuse(message.has_state_dtype() && !linear, "state_dtype", "linear attention");
}

rehearse::Attention attention_of(const Attention& message, const At& at) {
  const KindReader* const reader = reader_of(message, at);
  const Needed needs = reader != nullptr ? reader->needs : Needed{"heads", "kv_heads", "head_dim"};
  for (const char* field : needs) require_field(message, at.path, field, at.where);
  refuse_what_has_no_meaning(message, reader, at);
  rehearse::Attention read;
  read.name = message.name();
  read.heads = message.heads();
  read.kv_heads = message.kv_heads();
  read.head_dim = message.head_dim();
  read.bias = message.bias();
  if (message.has_qkv_bias()) read.qkv_bias = message.qkv_bias();
  if (message.has_output_bias()) read.output_bias = message.output_bias();
  read.value_dim = message.value_dim();
  read.qk_norm = static_cast<QkNorm>(message.qk_norm());
  read.gate = static_cast<OutputGate>(message.output_gate());
  read.sinks = message.sinks();
  read.keys_are_values = message.keys_are_values();
  read.window = message.window();
  read.chunk = message.chunk();
  read.shares_kv = message.shares_kv();
  read.kv_weights = message.kv_weights();
  if (message.has_state_dtype()) read.state_dtype = dtype_of(message.state_dtype());
  if (reader != nullptr) read.kind = reader->read(message, at);
  return read;
}

class Layers {
 public:
  Layers(const FieldLocations& where, const Model& model) : where_(where), model_(model) {}

  LayerKind kind_of(const proto::Layer& layer, const std::string& path) const {
    const At at{where_, path};
    LayerKind kind;
    if (layer.has_attention()) kind.attention = attention_named(layer.attention(), at);
    for (int index = 0; index < layer.ffn_size(); ++index) {
      const std::string& name = layer.ffn(index);
      if (name == "experts") {
        if (!model_.moe) at.refuse("ffn", "experts: moe is missing");
        if (kind.experts) at.refuse("ffn", "experts are given twice");
        kind.experts = true;
        continue;
      }
      if (kind.dense != LayerKind::kNone) {
        at.refuse("ffn", "a layer has one dense FFN at most, beside experts");
      }
      kind.dense = dense_named(name, at);
    }
    return kind;
  }

 private:
  template <class Named, class NameOf>
  static int index_of(const std::vector<Named>& all, const std::string& name, const char* what,
                      const char* field, const At& at, NameOf name_of_item) {
    int found = LayerKind::kNone;
    for (std::size_t index = 0; index < all.size(); ++index) {
      if (name_of_item(all[index]) != name) continue;
      if (found != LayerKind::kNone)
        at.refuse(field, fmt::format("two {} are named {}", what, name));
      found = static_cast<int>(index);
    }
    if (found == LayerKind::kNone) {
      std::string known;
      for (const Named& each : all) known += (known.empty() ? "" : ", ") + name_of_item(each);
      at.refuse(field, fmt::format("\"{}\" is no {} of the model, which has {}", shortened(name),
                                   what, known.empty() ? "none" : known));
    }
    return found;
  }

  int attention_named(const std::string& name, const At& at) const {
    return index_of(model_.attention, name, "attention", "attention", at,
                    [](const rehearse::Attention& each) { return name_of(each); });
  }
  int dense_named(const std::string& name, const At& at) const {
    return index_of(model_.dense, name, "dense FFN", "ffn", at, [](const FeedForward& each) {
      return each.name.empty() ? std::string("dense") : each.name;
    });
  }

  const FieldLocations& where_;
  const Model& model_;
};

int count_of(bool given, int count, const At& at, const char* field) {
  if (!given) return 1;
  if (count < 1) at.refuse(field, fmt::format("{} is not at least 1", count));
  return count;
}

}  // namespace

Dtype dtype_of(proto::Model::Dtype written) {
  const std::string& name = proto::Model::Dtype_Name(written);
  const auto dtype = dtype_named(name);
  SIM_CHECK(dtype.has_value(), "the schema's dtype " + name + " has no Dtype");
  return *dtype;
}

void read_attention(const proto::Model& message, const FieldLocations& where, Model& model) {
  if (message.attention_size() == 0) {
    throw InputError(where.at("attention"), "attention is missing: it has no default");
  }
  for (int index = 0; index < message.attention_size(); ++index) {
    const bool only = message.attention_size() == 1;
    const std::string path = only ? "attention" : fmt::format("attention[{}]", index);
    model.attention.push_back(attention_of(message.attention(index), {where, path}));
  }
  if (message.attention_size() > 1 && message.pattern_size() == 0) {
    throw InputError(where.at("attention[1]"),
                     "attention is given more than once, and no pattern says which layers have it");
  }
}

void read_layers(const proto::Model& message, const FieldLocations& where, Model& model) {
  const Layers layers(where, model);
  for (int group = 0; group < message.pattern_size(); ++group) {
    const std::string path = fmt::format("pattern[{}]", group);
    const proto::Layers& repeated = message.pattern(group);
    const At at{where, path};
    const int times = count_of(repeated.has_times(), repeated.times(), at, "times");
    std::vector<LayerKind> once;
    for (int index = 0; index < repeated.layer_size(); ++index) {
      const proto::Layer& layer = repeated.layer(index);
      const std::string own = fmt::format("{}.layer[{}]", path, index);
      const int count = count_of(layer.has_count(), layer.count(), {where, own}, "count");
      if (static_cast<double>(once.size()) + count > kMostLayers) at.refuse("", "too many layers");
      once.insert(once.end(), count, layers.kind_of(layer, own));
    }
    if (static_cast<double>(once.size()) * times > kMostLayers) at.refuse("", "too many layers");
    for (int time = 0; time < times; ++time) {
      model.pattern.insert(model.pattern.end(), once.begin(), once.end());
    }
    if (model.pattern.size() > static_cast<std::size_t>(kMostLayers)) {
      at.refuse("", "too many layers");
    }
  }
  if (model.moe && model.moe->hashed_layers > 0) {
    for (int layer = 0; layer < static_cast<int>(model.pattern.size()); ++layer) {
      model.pattern[layer].hashed =
          model.pattern[layer].experts && layer < model.moe->hashed_layers;
    }
  }
  if (!message.has_prediction()) return;
  const At at{where, "prediction"};
  TokenPrediction& prediction = model.prediction.emplace();
  const proto::TokenPrediction& written = message.prediction();
  at.require(written, "", {"layers"});
  prediction.layers = written.layers();
  prediction.embedding = written.embedding();
  prediction.lm_head = written.lm_head();
  prediction.copied = written.copied();
  for (int index = 0; index < written.layer_size(); ++index) {
    prediction.of_each.push_back(
        layers.kind_of(written.layer(index), fmt::format("prediction.layer[{}]", index)));
  }
  if (prediction.of_each.empty()) at.refuse("layer", "at least one");
}

void read_what_is_beside(const proto::Model& message, const FieldLocations& where, Model& model) {
  for (int index = 0; index < message.extra_size(); ++index) {
    const At at{where, fmt::format("extra[{}]", index)};
    const proto::ExtraWeights& extra = message.extra(index);
    at.require(extra, "", {"name", "parameters"});
    if (extra.parameters() < 0) at.refuse("parameters", "must be at least 0");
    const Dtype dtype = extra.has_dtype() ? dtype_of(extra.dtype()) : model.activation_dtype;
    model.extra.push_back({extra.name(), extra.parameters(), extra.per_layer(), dtype,
                           extra.of_prediction(), extra.looked_up()});
  }
  for (int index = 0; index < message.tower_size(); ++index) {
    const At at{where, fmt::format("tower[{}]", index)};
    const proto::Tower& tower = message.tower(index);
    at.require(tower, "", {"name", "parameters"});
    if (tower.parameters() < 0) at.refuse("parameters", "must be at least 0");
    model.towers.push_back({tower.name(), tower.parameters()});
  }
}

}  // namespace rehearse
