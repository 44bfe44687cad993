// Multi-head latent attention, alone or with a lightning indexer: DeepSeek V2 to V3.2, Kimi K2,
// GLM-5 and GLM-4.7-Flash. num_key_value_heads and head_dim mean nothing here.
#include <fmt/format.h>

#include "base/utf8.hpp"
#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

constexpr const char* kLatent = "latent";
constexpr const char* kChosenBefore = "latent, chosen before";

// Whether a layer chooses its tokens itself (GLM-5.2: others take the choice of one before them).
std::vector<bool> read_own_indexers(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  std::vector<bool> own;
  config.ignore("index_topk_pattern index_share_for_mtp_iteration");
  if (config.has("indexer_types")) {
    config.ignore("index_topk_freq index_skip_topk_offset");
    for (const json& type : config.list("indexer_types", reader.layers(), true)) {
      if (type != "full" && type != "shared") {
        config.refuse("indexer_types", fmt::format("{} is not read, only \"full\" and \"shared\"",
                                                   shortened(type.dump())));
      }
      own.push_back(type == "full");
    }
    own.resize(reader.layers());
  } else {
    const int every = config.integer_or(1, "index_topk_freq", kLayerCounts);
    const int from = config.integer_or(2, "index_skip_topk_offset", kSomeLayers);
    for (int layer = 0; layer < reader.layers(); ++layer) {
      own.push_back(std::max(layer - from + 1, 0) % every == 0);
    }
  }
  if (!own[0]) config.refuse("indexer_types", "the first layer has none before it to share with");
  return own;
}

void read_indexer(FamilyReader& reader, proto::Attention::Indexer& indexer) {
  const HfConfig& config = reader.config();
  indexer.set_heads(config.integer("index_n_heads", kHeadCounts));
  indexer.set_head_dim(config.integer("index_head_dim", kHeadCounts));
  indexer.set_top_k(config.integer("index_topk", kWidths));
}

// Whose experts are chosen among groups; V2-Lite says "greedy" beside its groups.
void read_group_limit(FamilyReader& reader) {
  if (!reader.model().has_moe()) return;
  proto::MixtureOfExperts& moe = *reader.model().mutable_moe();
  const std::string method = reader.config().string_or("", "topk_method");
  if (method == "greedy") {
    moe.clear_groups();
    moe.clear_top_groups();
  }
  if (method == "noaux_tc") moe.set_score_correction(true);
}

}  // namespace

void read_latent_attention(FamilyReader& reader, const LatentDefaults& missing,
                           proto::Attention& attention) {
  const HfConfig& config = reader.config();
  attention.set_heads(config.integer("num_attention_heads", kHeadCounts));
  proto::Attention::Latent& latent = *attention.mutable_latent();
  // A null is a model without the queries' latent, not a missing key.
  const bool null = config.says("q_lora_rank") && !config.has("q_lora_rank");
  const int query_rank = config.integer_or(null ? 0 : missing.query_rank, "q_lora_rank", kWidths);
  if (query_rank > 0) latent.set_query_rank(query_rank);
  latent.set_kv_rank(config.integer_or(missing.kv_rank, "kv_lora_rank", kWidths));
  latent.set_nope_dim(config.integer_or(missing.nope_dim, "qk_nope_head_dim", kHeadCounts));
  latent.set_rope_dim(config.integer_or(missing.rope_dim, "qk_rope_head_dim", kHeadCounts));
  latent.set_value_dim(config.integer_or(missing.value_dim, "v_head_dim", kHeadCounts));
  if (config.boolean_or(false, "attention_bias")) {
    config.refuse("attention_bias", "biases of latent attention are not modelled");
  }
}

void read_latent(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  proto::Attention& attention = reader.add_attention(kLatent, "kv_lora_rank");
  const LatentDefaults* const missing = reader.traits().latent;
  read_latent_attention(reader, missing != nullptr ? *missing : kDeepseekLatent, attention);
  for (LayerParts& layer : reader.parts()) layer.attention = kLatent;
  if (reader.traits().indexed) {
    read_indexer(reader, *attention.mutable_indexer());
    const std::vector<bool> own = read_own_indexers(reader);
    for (int layer = 0; layer < reader.layers(); ++layer) {
      if (!own[layer]) reader.parts()[layer].attention = kChosenBefore;
    }
    if (std::find(own.begin(), own.end(), false) != own.end()) {
      const proto::Attention like = attention;
      proto::Attention& shared = reader.add_attention("", "index_topk");
      shared = like;
      shared.set_name(kChosenBefore);
      shared.mutable_indexer()->set_shared(true);
    }
  }
  reader.read_ffn();
  read_group_limit(reader);
  const int blocks = config.integer_or(0, "num_nextn_predict_layers", kSomeLayers);
  reader.place("prediction", "num_nextn_predict_layers");
  reader.predict(blocks, {{kLatent, reader.parts().back().ffn}});
  if (blocks > 0 && reader.traits().copies) reader.copy_ends();
}

}  // namespace rehearse
