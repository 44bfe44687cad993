#include "input/hf/keys.hpp"

#include <algorithm>
#include <iterator>
#include <string>

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
constexpr const char* kExperts = "experts";

constexpr NotUnderstood kNotUnderstood[] = {
    {"router_bias", "a bias of the router"},
    {"moe_gate_bias", "a bias of the router"},
    {"use_expert_bias", "a bias for each expert"},
    {"kv_lora_rank", kLatent},
    {"q_lora_rank", kLatent},
    {"index_topk", kSparse},
    {"index_n_heads", kSparse},
    {"sparse_attention_config", kSparse},
    {"compress_ratios", kSparse},
    {"sparse_attention_freq", kSparse},
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
    {"swa_num_attention_heads", kWindow},
    {"use_qk_norm", "norms of queries and keys"},
    {"qk_layernorm", "norms of queries and keys"},
    {"attention_output_gate", "a gate of attention's output"},
    {"use_head_wise_attn_gate", "a gate of attention's output"},
    {"add_swa_attention_sink_bias", "attention sinks"},
    {"add_full_attention_sink_bias", "attention sinks"},
    {"sliding_window", kWindow},
    {"layer_types", kWindow},
    {"mlp_layer_types", kInterleaved},
    {"moe_layer_freq", kInterleaved},
    {"mlp_only_layers", kInterleaved},
    {"decoder_sparse_step", kInterleaved},
    {"first_k_dense_replace", kInterleaved},
    {"moe_layers_enum", kInterleaved},
    {"moe_layer_num_skipped", kInterleaved},
    {"indexer_types", kSparse},
    {"num_experts", kExperts},
    {"num_local_experts", kExperts},
    {"n_routed_experts", kExperts},
    {"moe_num_experts", kExperts},
    {"n_shared_experts", kShared},
    {"share_expert_dim", kShared},
    {"num_shared_expert", kShared},
    {"intermediate_size_mlp", "a dense FFN from this key"},
    {"dense_intermediate_size", "a dense FFN from this key"},
    {"use_double_wide_mlp", "an FFN of twice the width"},
    {"mla_use_output_gate", "a gate of attention's output"},
    {"mtp_hybrid_override_pattern", kPrediction},
    {"mtp_layers_block_type", kPrediction},
    {"laurel_rank", "an FFN beside attention"},
    {"linear_num_value_heads", kLinear},
    {"mamba_num_heads", kStateSpace},
    {"mamba_n_heads", kStateSpace},
    {"attention_bias", "biases of attention"},
    {"new_decoder_architecture", "a Falcon of another generation"},
    {"alibi_positions", "positions from this key"},
    {"is_encoder_decoder", "an encoder"},
    {"add_cross_attention", "cross attention"},
    {"cross_attention_layers", "cross attention"},
    {"cross_attention_hidden_size", "cross attention"},
    {"parallel_attn", "attention beside the FFN"},
    {"use_parallel_residual", "attention beside the FFN"},
    {"use_mixed_mlp_moe", kShared},
    {"mod_every", "layers that skip tokens"},
    {"num_loops", "layers that run several times"},
    {"moe_quant_algo", "a dtype of experts from this key"}};

// Change nothing that is counted.
constexpr std::string_view kHarmless =
    " "
    "_attn_implementation _attn_implementation_autoset _name_or_path "
    "_remove_final_layer_norm _use_flash_attention activation activation_function "
    "activation_situ_beta activation_situ_linear_beta activation_sparsity_pattern "
    "alias alibi altup_active_idx altup_coef_init altup_correct_scale "
    "altup_lr_multiplier apply_query_key_layer_scaling "
    "apply_residual_connection_post_layernorm architectures attention_method "
    "attention_multiplier attention_softmax_in_fp32 attention_value_scale "
    "attn_implementation attn_logit_softcap attn_logit_softcapping attn_mechanism "
    "attn_scale attn_temperature attn_temperature_tuning audio_soft_tokens_per_image "
    "auto_map aux_loss_alpha bad_words_ids base_model begin_suppress_tokens beta_fast "
    "beta_slow boi_token_id cache_implementation chunk_size_feed_forward clip_qkv "
    "compress_rope_theta compression_ratio cross_attention_interval "
    "decoder_start_token_id dim_model_base diversity_penalty do_sample "
    "downsample_ratio dual_chunk_attention_config dynamic_image_size early_stopping "
    "elementwise_affine embd_layer_norm embedding_multiplier embedding_scale "
    "encoder_no_repeat_ngram_size eos_token ep_size expand "
    "exponential_decay_length_penalty final_logit_softcapping finetuning_task "
    "floor_scale for_llm_class force_image_size forced_bos_token_id "
    "forced_eos_token_id freq_allocation full_attn_alpha_factor full_attn_beta_factor "
    "fused_mlp global_rope_theta gradient_checkpointing hc_eps hc_sinkhorn_iters "
    "head_dim_rope hidden_act hidden_activation id2label ignore_index "
    "image_grid_pinpoints image_placeholder image_seq_length "
    "img_token_compression_config indexer_rope_interleave init_method "
    "initial_context_length initializer_factor initializer_range input_jitter_noise "
    "is_decoder label2id language layer_norm_elementwise_affine layer_norm_eps "
    "layer_norm_epsilon layerdrop layernorm_epsilon layernorm_full_attention_alpha "
    "layernorm_full_attention_beta layernorm_linear_attention_alpha "
    "layernorm_linear_attention_beta layernorm_mlp_alpha layernorm_mlp_beta "
    "length_penalty license linear_attn_alpha_factor linear_attn_beta_factor "
    "local_rope_theta logit_scale logits_scale logits_scaling mamba_dt_init_floor "
    "mamba_dt_max mamba_dt_min mamba_hidden_act masked_softmax_fusion "
    "max_dynamic_patch max_length max_model_len max_new_tokens max_position_embeddings "
    "max_seq_len max_sequence_length max_window_layers media_placeholder_token_id "
    "min_dynamic_patch min_length mla_scale_kv_lora mla_scale_q_lora mla_use_nope "
    "mlp_alpha mlp_dropout mlp_hidden_act mm_tokens_per_image model_max_length "
    "model_type moe_capacity moe_gate moe_jitter_eps "
    "moe_layer_start_index moe_norm_min moe_renormalize moe_router_activation_func "
    "moe_router_dtype moe_router_logit_softcapping moe_router_scaling_factor "
    "moe_router_use_sigmoid moe_shared_expert_overlap moe_top_k_softmax "
    "moe_use_aux_free mscale_all_dim mtp_transformer_layers "
    "mtp_use_dedicated_embeddings multimodal_projector_bias mup n_ctx n_positions "
    "name_or_path no_repeat_ngram_size no_rope_layer_interval no_rope_layers "
    "nope_layer_interval norm_eps norm_epsilon norm_head norm_topk_prob norm_type "
    "normalization_function num_beam_groups num_beams num_logits_to_keep "
    "num_return_sequences num_reward_heads original_max_position_embeddings "
    "output_attentions output_gate_type output_hidden_states output_router_logits "
    "output_scores pad_vocab_size_multiple partial_rotary_factor "
    "partial_rotary_factors pos_emb_type position_embedding_size "
    "position_embedding_type postnorm prefix pretraining_tp problem_type "
    "process_image_mode projector_hidden_act projector_hidden_size pruned_heads "
    "ps_version qk_head_dim qk_norm_type query_pre_attn_scalar remove_invalid_values "
    "reorder_and_upcast_attn repetition_penalty rescale_prenorm_residual resid_pdrop "
    "residual_in_fp32 residual_multiplier return_dict return_dict_in_generate rm_head "
    "rms_norm_eps rms_norm_epsilon rope_3d rotary rotary_dim rotary_emb_base "
    "rotary_pct routed_scaling_factor router_aux_loss_coef "
    "router_capacity_factor router_dtype router_jitter_noise router_z_loss_coef "
    "scale_attn_by_inverse_layer_idx scale_attn_weights scale_depth scale_emb "
    "scoring_func select_layer sep_token_id seq_aux seq_length sequence_length "
    "shared_moe_mode skip_bias_add skip_bias_add_qkv sliding_window_size "
    "slow_but_exact spatial_merge_size summary_activation summary_first_dropout "
    "summary_proj_to_labels summary_type summary_use_proj suppress_tokens "
    "swa_rope_theta swiglu_alpha swiglu_limit swiglu_limits swiglu_limits_shared "
    "task_specific_params temperature template tf_legacy_loss tie_encoder_decoder "
    "time_step_floor time_step_limit time_step_max time_step_min time_step_rank "
    "tokenizer_class tokenizer_mode top_k top_p topk_method torchscript tpsize "
    "transformers_version typical_p unsloth_fixed unsloth_version use_bfloat16 "
    "use_bidirectional_attention use_cache use_deterministic_attn "
    "use_flash_attention use_flash_attention_2 use_flash_attn use_gemma_norm "
    "use_grouped_topk use_mamba_kernels use_mrope use_mtp use_post_norm "
    "use_routing_bias use_thumbnail use_unified_vision_chunk video_placeholder "
    "vision_feature_layer vision_feature_select_strategy vision_soft_tokens_per_image "
    "vocab_file zero_expert_type ";
constexpr std::string_view kHarmlessEnds[] = {
    "_token_id", "_token_index", "_token",      "dropout",
    "_pdrop",    "_loss_coef",   "_init_range", "_initializer_range"};

}  // namespace

std::span<const NotUnderstood> keys_that_change_arithmetic() { return kNotUnderstood; }

bool is_harmless(std::string_view key) {
  const auto ends = [&](std::string_view end) { return key.ends_with(end); };
  const bool listed = key.find(' ') == std::string_view::npos &&
                      kHarmless.find(" " + std::string(key) + " ") != std::string_view::npos;
  return listed || key.starts_with("rope") ||
         std::any_of(std::begin(kHarmlessEnds), std::end(kHarmlessEnds), ends);
}

}  // namespace rehearse
