// Models whose layers differ, as textproto.
#include <gtest/gtest.h>

#include "input/input.hpp"
#include "input/input_texts.hpp"
#include "model/attention_kind.hpp"

namespace rehearse {
namespace {

constexpr const char* kHybrid = R"(layers: 9
hidden: 8
vocab: 16
attention { gated_delta { key_heads: 2 value_heads: 4 key_dim: 2 value_dim: 3 convolution: 4 } }
attention { heads: 2 kv_heads: 1 head_dim: 4 qk_norm: per_head output_gate: elementwise window: 5 }
attention { heads: 2 latent { kv_rank: 4 nope_dim: 2 rope_dim: 1 value_dim: 2 } }
dense { width: 32 gated: true }
moe { experts: 4 top_k: 2 expert { width: 16 gated: true } score_correction: true groups: 2 top_groups: 1 }
pattern { times: 2 layer { attention: "gated_delta" ffn: "experts" count: 3 } layer { attention: "sliding" ffn: "dense" } }
pattern { layer { attention: "latent" ffn: "dense" ffn: "experts" } }
prediction { layers: 1 layer { attention: "latent" ffn: "dense" } }
extra { name: "positions" parameters: 100 }
tower { name: "vision" parameters: 1000 }
)";

TEST(TextprotoLayers, AreReadInTheirPattern) {
  const Model model = read_model(written_file("hybrid.textproto", kHybrid));
  EXPECT_EQ(layers_text(model),
            "2 x (3 gated_delta + experts, 1 sliding + dense), 1 latent + dense + experts");
  EXPECT_EQ(model.attention[1].qk_norm, QkNorm::kPerHead);
  EXPECT_EQ(model.attention[1].gate, OutputGate::kElementwise);
  EXPECT_EQ(std::get<GatedDelta>(model.attention[0].kind).value_heads, 4);
  EXPECT_EQ(std::get<Latent>(model.attention[2].kind).kv_rank, 4);
  EXPECT_TRUE(model.moe->limits_groups());
  EXPECT_EQ(model.prediction_layers(), 1);
  const ParameterCount count = count_parameters(model);
  EXPECT_EQ(count.extra, 100);
  EXPECT_EQ(count.towers, 1000);
  EXPECT_GT(count.mtp, 0);
}

TEST(TextprotoLayers, AreRefusedWhereTheyDoNotFit) {
  const auto fault = [](const std::string& from, const std::string& to) {
    std::string text = kHybrid;
    text.replace(text.find(from), from.size(), to);
    const std::string path = written_file("hybrid.textproto", text);
    try {
      read_model(path);
    } catch (const InputError& error) {
      return std::string(error.what()).substr(path.size());
    }
    return std::string("read");
  };
  EXPECT_EQ(fault("layers: 9", "layers: 8"),
            ":9:1: error: pattern has 9 layers, the model has layers = 8");
  EXPECT_NE(fault("\"sliding\"", "\"full\"").find("\"full\" is no attention of the model"),
            std::string::npos);
  EXPECT_NE(
      fault("latent { kv_rank: 4", "window: 5 latent { kv_rank: 4").find("window: belongs to"),
      std::string::npos);
  EXPECT_NE(fault("kv_rank: 4 ", "").find("attention[2].latent.kv_rank is missing"),
            std::string::npos);
  EXPECT_NE(fault("top_groups: 1", "top_groups: 3").find("moe.top_groups = 3"), std::string::npos);
  EXPECT_NE(fault("ffn: \"dense\" ffn: \"experts\"", "ffn: \"dense\" ffn: \"dense\"")
                .find("one dense FFN at most"),
            std::string::npos);
  EXPECT_NE(fault("window: 5 }", "window: 5 shares_kv: true }")
                .find("attention[1].shares_kv: no layer before layer 3 keeps keys and values"),
            std::string::npos);
  EXPECT_NE(
      fault("value_dim: 2 } }",
            "value_dim: 2 query_rank: 4 } indexer { heads: 1 head_dim: 2 top_k: 1 shared: true } }")
          .find("attention[2].indexer.shared: no layer before layer 8 has an indexer"),
      std::string::npos);
}

}  // namespace
}  // namespace rehearse
