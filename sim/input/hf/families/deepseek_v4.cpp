// DeepSeek-V4: one key that is its value for all heads, near tokens whole and far ones compressed;
// four residual streams, which mixers join before each block and spread behind it.
#include <fmt/format.h>

#include <map>

#include "base/utf8.hpp"
#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

constexpr int kChosenRatio = 4;  // whose entries an indexer picks

std::string name_of(int ratio) {
  return ratio == 0 ? "window" : fmt::format("compressed {}", ratio);
}

void add_kind(FamilyReader& reader, int ratio) {
  const HfConfig& config = reader.config();
  proto::Attention& attention = reader.add_attention(name_of(ratio), "compress_ratios");
  attention.set_heads(config.integer("num_attention_heads", kHeadCounts));
  attention.set_kv_heads(1);
  attention.set_head_dim(config.integer_or(512, "head_dim", kHeadCounts));
  attention.set_sinks(true);
  attention.set_window(config.integer_or(128, "sliding_window", kWidths));
  proto::Attention::Compressed& compressed = *attention.mutable_compressed();
  compressed.set_query_rank(config.integer("q_lora_rank", kWidths));
  compressed.set_rope_dim(config.integer_or(64, "qk_rope_head_dim", kHeadCounts));
  compressed.set_ratio(ratio);
  compressed.set_output_groups(config.integer("o_groups", kHeadCounts));
  compressed.set_output_rank(config.integer("o_lora_rank", kWidths));
  if (attention.heads() % compressed.output_groups() != 0) {
    config.refuse("o_groups",
                  fmt::format("must divide num_attention_heads = {}", attention.heads()));
  }
  config.ignore("index_n_heads index_head_dim index_topk");
  if (ratio != kChosenRatio) return;
  compressed.mutable_indexer()->set_heads(config.integer("index_n_heads", kHeadCounts));
  compressed.mutable_indexer()->set_head_dim(config.integer("index_head_dim", kHeadCounts));
  compressed.mutable_indexer()->set_top_k(config.integer("index_topk", kWidths));
}

std::vector<int> read_ratios(FamilyReader& reader, int blocks) {
  const HfConfig& config = reader.config();
  std::vector<int> ratios;
  for (const json& ratio : config.list("compress_ratios", reader.layers(), true)) {
    if (!ratio.is_number_integer() || ratio < 0 || ratio > kLargestWidth) {
      config.refuse("compress_ratios",
                    fmt::format("{}: expected numbers of tokens", shortened(ratio.dump())));
    }
    ratios.push_back(ratio.get<int>());
  }
  ratios.resize(reader.layers() + (blocks > 0 ? 1 : 0), 0);
  return ratios;
}

// Two mixers a layer, one before the head, in fp32 (arXiv:2512.24880).
void add_streams(FamilyReader& reader) {
  const double streams = reader.config().integer_or(4, "hc_mult", {1, 64});
  const double hidden = reader.model().hidden();
  reader.model().set_residual_streams(static_cast<int>(streams));
  const double rows = (2 + streams) * streams;
  proto::ExtraWeights& mixers = reader.add_extra("mixers of the residual streams",
                                                 2 * (rows * streams * hidden + rows + 3), true);
  mixers.set_dtype(proto::Model::fp32);
  mixers.set_of_prediction(true);
  proto::ExtraWeights& last =
      reader.add_extra("mixer before the head", streams * streams * hidden + streams + 1, false);
  last.set_dtype(proto::Model::fp32);
  last.set_of_prediction(true);
}

}  // namespace

void read_deepseek_v4(FamilyReader& reader) {
  const HfConfig& config = reader.config();
  reader.read_dimensions();
  const int blocks = config.integer_or(0, "num_nextn_predict_layers", kSomeLayers);
  const std::vector<int> ratios = read_ratios(reader, blocks);
  std::map<int, bool> kinds;
  for (const int ratio : ratios) kinds[ratio] = true;
  for (const auto& [ratio, used] : kinds) add_kind(reader, ratio);
  for (int layer = 0; layer < reader.layers(); ++layer) {
    reader.parts()[layer].attention = name_of(ratios[layer]);
  }
  reader.read_ffn(std::vector<bool>(reader.layers(), true));
  reader.model().mutable_moe()->set_hashed_layers(
      config.integer_or(3, "num_hash_layers", kSomeLayers));
  add_streams(reader);
  reader.place("prediction", "num_nextn_predict_layers");
  reader.predict(blocks, {{name_of(ratios.back()), {kExperts}}});
}

}  // namespace rehearse
