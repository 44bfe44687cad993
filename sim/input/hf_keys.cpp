#include "input/hf_keys.hpp"

#include <algorithm>

namespace rehearse {
namespace {

constexpr const char* kLatent = "multi-head latent attention";
constexpr const char* kSparse = "sparse attention";
constexpr const char* kWindow = "attention that differs from layer to layer";
constexpr const char* kLinear = "linear attention";
constexpr const char* kStateSpace = "a state-space layer";
constexpr const char* kPrediction = "multi-token prediction";
constexpr const char* kInterleaved = "interleaving MoE and dense layers";
constexpr const char* kSharedKv = "KV shared by layers";
constexpr const char* kShared = "a shared expert from this key";

constexpr NotModelled kNotModelled[] = {
    {"kv_lora_rank", kLatent},
    {"q_lora_rank", kLatent},
    {"index_topk", kSparse},
    {"index_n_heads", kSparse},
    {"sparse_attention_config", kSparse},
    {"compress_ratios", kSparse},
    {"full_attention_interval", kLinear},
    {"linear_num_key_heads", kLinear},
    {"linear_attn_config", kLinear},
    {"attn_type_list", kLinear},
    {"layer_group_size", kLinear},
    {"hybrid_override_pattern", kStateSpace},
    {"layers_block_type", kStateSpace},
    {"attn_layer_period", kStateSpace},
    {"mamba_d_state", kStateSpace},
    {"ssm_state_size", kStateSpace},
    {"attention_chunk_size", "chunked attention"},
    {"hybrid_layer_pattern", kWindow},
    {"sliding_window_pattern", kWindow},
    {"attention_other_setting", kWindow},
    {"swa_num_key_value_heads", kWindow},
    {"block_configs", "a model whose layers differ"},
    {"interleave_moe_layer_step", kInterleaved},
    {"moe_layers", kInterleaved},
    {"num_nextn_predict_layers", kPrediction},
    {"mtp_num_hidden_layers", kPrediction},
    {"num_mtp_modules", kPrediction},
    {"mlp_bias", "an FFN with biases from a config.json"},
    {"bias", "biases from this key"},
    {"use_bias", "biases from this key"},
    {"use_qkv_bias", "biases from this key"},
    {"qkv_bias", "biases from this key"},
    {"lm_head_bias", "a bias of the LM head"},
    {"attn_output_gate", "a gate of attention's output"},
    {"attention_k_eq_v", "keys that are values"},
    {"global_head_dim", kWindow},
    {"v_head_dim", "values of another size than keys"},
    {"num_kv_shared_layers", kSharedKv},
    {"use_cla", kSharedKv},
    {"cla_share_factor", kSharedKv},
    {"shared_expert_intermediate_size", kShared},
    {"moe_shared_expert_intermediate_size", kShared},
    {"shared_intermediate_size", kShared},
    {"num_shared_experts", kShared},
    {"moe_num_shared_experts", kShared},
    {"moe_latent_size", "experts on a latent width"},
    {"routed_expert_hidden_size", "experts on a latent width"},
    {"zero_expert_num", "zero experts"},
    {"enable_moe_block", "dense FFN and experts in one layer"},
    {"word_embed_proj_dim", "an embedding of another width"},
    {"hc_mult", "more than one residual stream"},
    {"attn_res_block_size", "more than one residual stream"},
    {"altup_num_inputs", "more than one residual stream"},
    {"hidden_size_per_layer_input", "embeddings for each layer"},
    {"expert_dtype", "another dtype of experts from this key"},
    {"is_encoder_decoder", "an encoder"},
    {"add_cross_attention", "cross attention"}};

// Read by the reader.
constexpr std::string_view kRead[] = {"model_type",
                                      "text_config",
                                      "hidden_size",
                                      "num_hidden_layers",
                                      "vocab_size",
                                      "tie_word_embeddings",
                                      "num_attention_heads",
                                      "num_key_value_heads",
                                      "head_dim",
                                      "attention_bias",
                                      "intermediate_size",
                                      "num_local_experts",
                                      "num_experts",
                                      "n_routed_experts",
                                      "num_experts_per_tok",
                                      "moe_intermediate_size",
                                      "first_k_dense_replace",
                                      "mlp_only_layers",
                                      "n_shared_experts",
                                      "dtype",
                                      "torch_dtype",
                                      "quantization_config",
                                      "compression_config",
                                      "layer_types",
                                      "sliding_window",
                                      "use_sliding_window",
                                      "decoder_sparse_step",
                                      "moe_layer_freq",
                                      "vision_config",
                                      "audio_config",
                                      "vit_config"};

// Change nothing that is counted.
constexpr std::string_view kHarmless[] = {"architectures",
                                          "auto_map",
                                          "transformers_version",
                                          "_name_or_path",
                                          "name_or_path",
                                          "_attn_implementation",
                                          "attn_implementation",
                                          "_attn_implementation_autoset",
                                          "initializer_range",
                                          "initializer_factor",
                                          "hidden_act",
                                          "hidden_activation",
                                          "max_position_embeddings",
                                          "original_max_position_embeddings",
                                          "max_window_layers",
                                          "max_sequence_length",
                                          "seq_length",
                                          "rms_norm_eps",
                                          "layer_norm_eps",
                                          "layernorm_epsilon",
                                          "norm_eps",
                                          "use_cache",
                                          "pretraining_tp",
                                          "partial_rotary_factor",
                                          "norm_topk_prob",
                                          "router_aux_loss_coef",
                                          "output_router_logits",
                                          "router_jitter_noise",
                                          "aux_loss_alpha",
                                          "seq_aux",
                                          "scoring_func",
                                          "topk_method",
                                          "routed_scaling_factor",
                                          "n_group",
                                          "topk_group",
                                          "ep_size",
                                          "tokenizer_class",
                                          "unsloth_version",
                                          "unsloth_fixed",
                                          "model_max_length",
                                          "tf_legacy_loss",
                                          "torchscript",
                                          "return_dict",
                                          "output_attentions",
                                          "output_hidden_states",
                                          "task_specific_params",
                                          "problem_type",
                                          "id2label",
                                          "label2id",
                                          "is_decoder",
                                          "chunk_size_feed_forward",
                                          "finetuning_task",
                                          "prefix",
                                          "pruned_heads",
                                          "no_rope_layers",
                                          "nope_layer_interval",
                                          "logit_scale",
                                          "attn_temperature_tuning",
                                          "vocab_file",
                                          "ffn_mult",
                                          "alias",
                                          "base_model",
                                          "license",
                                          "language",
                                          "pad_vocab_size_multiple",
                                          "mm_tokens_per_image",
                                          "vision_feature_layer",
                                          "vision_feature_select_strategy",
                                          "projector_hidden_act",
                                          "multimodal_projector_bias",
                                          "spatial_merge_size"};
constexpr std::string_view kHarmlessEnds[] = {"_token_id", "_token_index", "_token",    "dropout",
                                              "_dropout",  "_pdrop",       "_loss_coef"};

template <std::size_t kSize>
bool holds(const std::string_view (&keys)[kSize], std::string_view key) {
  return std::find(std::begin(keys), std::end(keys), key) != std::end(keys);
}

}  // namespace

std::span<const NotModelled> keys_not_modelled() { return kNotModelled; }

bool is_known_key(std::string_view key) {
  const auto ends = [&](std::string_view end) { return key.ends_with(end); };
  const auto is = [&](const NotModelled& each) { return key == each.key; };
  return holds(kRead, key) || holds(kHarmless, key) || key.starts_with("rope") ||
         std::any_of(std::begin(kHarmlessEnds), std::end(kHarmlessEnds), ends) ||
         std::any_of(std::begin(kNotModelled), std::end(kNotModelled), is);
}

}  // namespace rehearse
