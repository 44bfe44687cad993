#include "input/module_names.hpp"

#include <algorithm>

namespace rehearse {
namespace {

using Part = proto::Storage;
using Modules = std::vector<PartModules>;

// Each name below `block`; a block without a name is the layer itself.
std::vector<std::string> below(std::string_view block, const std::vector<std::string>& names) {
  std::vector<std::string> paths;
  paths.reserve(names.size());
  for (const std::string& name : names) {
    paths.push_back(block.empty() ? name : std::string(block) + "." + name);
  }
  return paths;
}

void add(Modules& modules, proto::Storage::Part part, std::string_view block,
         const std::vector<std::string>& names, const std::vector<std::string>& others = {},
         bool as_one = false) {
  modules.push_back({part, below(block, names), below(block, others), as_one});
}

void add_latent(Modules& modules, const proto::Attention& attention, std::string_view block) {
  if (attention.latent().has_query_rank()) {
    add(modules, Part::query_down, block, {"q_a_proj"}, {"fused_qkv_a_proj"});
    add(modules, Part::query_up, block, {"q_b_proj"});
  } else {
    add(modules, Part::query_up, block, {"q_proj"});
  }
  add(modules, Part::kv_down, block, {"kv_a_proj_with_mqa"}, {"fused_qkv_a_proj"});
  add(modules, Part::kv_up, block, {"kv_b_proj"});
  add(modules, Part::attention_output, block, {"o_proj"});
  if (attention.has_output_gate()) add(modules, Part::attention_gate, block, {"g_proj"});
  if (!attention.has_indexer() || attention.indexer().shared()) return;
  add(modules, Part::indexer, block, {"indexer.wq_b", "indexer.wk"}, {"indexer"});
}

void add_compressed(Modules& modules, const proto::Attention& attention, std::string_view block) {
  add(modules, Part::query_down, block, {"wq_a"});
  add(modules, Part::query_up, block, {"wq_b"});
  add(modules, Part::kv_down, block, {"wkv"});
  add(modules, Part::attention_output, block, {"wo_b", "wo_a"});
  if (!attention.compressed().has_indexer()) return;
  add(modules, Part::indexer, block, {"indexer.wq_b"}, {"indexer"});
}

void add_softmax(Modules& modules, const proto::Attention& attention, std::string_view block) {
  add(modules, Part::qkv, block, {"q_proj", "k_proj", "v_proj"}, {"qkv_proj", "query_key_value"},
      true);
  add(modules, Part::attention_output, block, {"o_proj"}, {"dense", "out_proj"});
  if (attention.output_gate() == proto::Attention::headwise) {
    add(modules, Part::attention_gate, block, {"g_proj"});
  }
  if (attention.has_block_sparse()) {
    add(modules, Part::indexer, block, {"index_q_proj", "index_k_proj"});
  }
}

// Linear attention and state-space layers: `ModuleNames::linear`.
void add_linear(Modules& modules, const proto::Attention& attention, std::string_view block) {
  if (attention.has_gated_delta()) {
    add(modules, Part::qkv, block, {"in_proj_qkv", "in_proj_z"}, {"in_proj_qkvz"});
    add(modules, Part::state_mixer, block, {"in_proj_a", "in_proj_b"}, {"in_proj_ba"});
  } else if (attention.has_kimi_delta()) {
    add(modules, Part::qkv, block, {"q_proj", "k_proj", "v_proj"}, {"qkv_proj"}, true);
    add(modules, Part::state_mixer, block, {"f_a_proj", "f_b_proj", "b_proj", "g_proj"});
  } else if (attention.has_lightning()) {
    add(modules, Part::qkv, block, {"qkv_proj"});
    add(modules, Part::attention_gate, block, {"output_gate"});
  } else {
    add(modules, Part::qkv, block, {"in_proj"});
    if (attention.has_mamba()) add(modules, Part::state_mixer, block, {"x_proj", "dt_proj"});
  }
  const bool named_o = attention.has_kimi_delta();
  add(modules, Part::attention_output, block, {named_o ? "o_proj" : "out_proj"});
}

void add_ffn(Modules& modules, proto::Storage::Part up, std::string_view block, bool gated,
             bool numbered) {
  const auto down = static_cast<proto::Storage::Part>(up + 1);
  const std::vector<std::string> named_up = gated ? std::vector<std::string>{"gate_proj", "up_proj"}
                                                  : std::vector<std::string>{"up_proj"};
  if (numbered) {
    add(modules, up, block,
        gated ? std::vector<std::string>{"w1", "w3"} : std::vector<std::string>{"w1"}, named_up,
        gated);
    add(modules, down, block, {"w2"}, {"down_proj"});
    return;
  }
  add(modules, up, block, named_up, {"gate_up_proj", "input_linear", "w1"}, gated);
  add(modules, down, block, {"down_proj"}, {"output_linear", "w2"});
}

void add_experts(Modules& modules, const proto::MixtureOfExperts& moe, const ModuleNames& names) {
  const auto inside = [&](std::string_view name) {
    return names.moe.empty() ? std::string(name) : std::string(names.moe) + "." + std::string(name);
  };
  add(modules, Part::router, "", {inside(names.router)});
  const std::string experts = inside(names.experts);
  add_ffn(modules, Part::expert_up, experts + ".0", moe.expert().gated(), names.numbered);
  modules[modules.size() - 2].others.push_back(experts + ".gate_up_proj");
  modules[modules.size() - 1].others.push_back(experts + ".down_proj");
  if (names.moe == "block_sparse_moe") {  // Granite's experts are one tensor
    modules[modules.size() - 2].others.push_back(inside("input_linear"));
    modules[modules.size() - 1].others.push_back(inside("output_linear"));
  }
  if (moe.shared_experts() > 0) {
    const bool outside = names.shared == "shared_mlp" && names.moe == "block_sparse_moe";
    add_ffn(modules, Part::shared_expert_up,
            outside ? std::string(names.shared) : inside(names.shared), moe.shared().gated(),
            false);
  }
  if (moe.shared_gate()) {
    add(modules, Part::shared_expert_gate, "", {inside("shared_expert_gate")});
  }
  if (moe.has_latent()) {
    add(modules, Part::expert_latent, "", {inside("fc1_latent_proj"), inside("fc2_latent_proj")},
        {inside("latent_up_proj")});
  }
}

}  // namespace

std::vector<PartModules> layer_modules(const proto::Model& model, const LayerParts& layer,
                                       const ModuleNames& names) {
  Modules modules;
  for (const proto::Attention& attention : model.attention()) {
    const bool is_only = model.attention_size() == 1 && !layer.attention.empty();
    if (attention.name() != layer.attention && !is_only) continue;
    if (attention.has_latent()) {
      add_latent(modules, attention, names.attention);
    } else if (attention.has_compressed()) {
      add_compressed(modules, attention, names.attention);
    } else if (attention.has_heads() && !attention.has_lightning()) {
      add_softmax(modules, attention, names.attention);
    } else {
      add_linear(modules, attention, names.linear);
    }
    break;
  }
  for (const std::string& ffn : layer.ffn) {
    if (ffn == kExperts) {
      add_experts(modules, model.moe(), names);
    } else {
      const bool gated = std::any_of(model.dense().begin(), model.dense().end(),
                                     [](const proto::FeedForward& each) { return each.gated(); });
      add_ffn(modules, Part::dense_up, names.dense, gated, names.numbered && names.dense == "ffn");
    }
  }
  return modules;
}

}  // namespace rehearse
