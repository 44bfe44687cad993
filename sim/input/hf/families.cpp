// One row for each model_type. A missing key means what transformers' class of that type has.
#include "input/hf/family.hpp"

#include "input/hf/families/readers.hpp"

namespace rehearse {
namespace {

// Experts, by who names their keys so.
constexpr ExpertKeys kMixtralExperts = {
    .count = {"num_local_experts|num_experts", 8}, .top_k = {"num_experts_per_tok", 2}, .width = {"intermediate_size"}};
constexpr ExpertKeys kQwen2Experts = {.count = {"num_experts", 60},
                                      .top_k = {"num_experts_per_tok", 4},
                                      .width = {"moe_intermediate_size", 1408},
                                      .shared_width = "shared_expert_intermediate_size",
                                      .shared_width_missing = 5632,
                                      .shared_gate = true};
constexpr ExpertKeys kQwen3Experts = {.count = {"num_experts", 128},
                                      .top_k = {"num_experts_per_tok", 8},
                                      .width = {"moe_intermediate_size", 768}};
constexpr ExpertKeys kQwenNextExperts = {.count = {"num_experts", 512},
                                         .top_k = {"num_experts_per_tok", 10},
                                         .width = {"moe_intermediate_size", 512},
                                         .shared_width = "shared_expert_intermediate_size",
                                         .shared_width_missing = 512,
                                         .shared_gate = true};
constexpr ExpertKeys kQwen35Experts = {.count = {"num_experts", 256},
                                       .top_k = {"num_experts_per_tok", 8},
                                       .width = {"moe_intermediate_size", 512},
                                       .shared_width = "shared_expert_intermediate_size",
                                       .shared_width_missing = 512,
                                       .shared_gate = true};
constexpr ExpertKeys kDeepseekExperts = {.count = {"n_routed_experts"},
                                         .top_k = {"num_experts_per_tok"},
                                         .width = {"moe_intermediate_size", 1407},
                                         .shared = {"n_shared_experts", 0}};
constexpr ExpertKeys kDeepseek3Experts = {.count = {"n_routed_experts|num_experts", 256},
                                          .top_k = {"num_experts_per_tok", 8},
                                          .width = {"moe_intermediate_size", 2048},
                                          .shared = {"n_shared_experts", 1},
                                          .correction = true,
                                          .first_dense = 3};
constexpr ExpertKeys kGlmExperts = {.count = {"n_routed_experts|num_experts", 128},
                                    .top_k = {"num_experts_per_tok", 8},
                                    .width = {"moe_intermediate_size", 1408},
                                    .shared = {"n_shared_experts", 1},
                                    .correction = true,
                                    .first_dense = 1};
constexpr ExpertKeys kGlmLiteExperts = {.count = {"n_routed_experts|num_experts", 64},
                                        .top_k = {"num_experts_per_tok", 4},
                                        .width = {"moe_intermediate_size", 1536},
                                        .shared = {"n_shared_experts", 1},
                                        .correction = true,
                                        .first_dense = 1};
constexpr ExpertKeys kGptOssExperts = {.count = {"num_local_experts|num_experts", 128},
                                       .top_k = {"num_experts_per_tok|experts_per_token", 4},
                                       .width = {"intermediate_size", 2880},
                                       .bias = true};
constexpr ExpertKeys kLlama4Experts = {.count = {"num_local_experts", 16},
                                       .top_k = {"num_experts_per_tok", 1},
                                       .width = {"intermediate_size", 8192},
                                       .shared_width = "intermediate_size",
                                       .shared_width_missing = 8192};
constexpr ExpertKeys kGemma4Experts = {
    .count = {"num_experts"},
    .top_k = {"top_k_experts|num_experts_per_tok"},
    .width = {"moe_intermediate_size|expert_intermediate_size"}};
constexpr ExpertKeys kMiniMaxExperts = {.count = {"num_local_experts", 8},
                                        .top_k = {"num_experts_per_tok", 2},
                                        .width = {"intermediate_size"},
                                        .shared_width = "shared_intermediate_size"};
constexpr ExpertKeys kMiniMax2Experts = {.count = {"num_local_experts", 256},
                                         .top_k = {"num_experts_per_tok", 8},
                                         .width = {"intermediate_size"},
                                         .shared_width = "shared_intermediate_size",
                                         .correction = true,
                                         .correction_key = "use_routing_bias"};
constexpr ExpertKeys kMiniMax3Experts = {.count = {"num_local_experts"},
                                         .top_k = {"num_experts_per_tok"},
                                         .width = {"moe_intermediate_size|intermediate_size"},
                                         .shared = {"n_shared_experts", 0},
                                         .shared_width = "shared_intermediate_size",
                                         .correction = true,
                                         .correction_key = "use_routing_bias"};
constexpr ExpertKeys kNemotronExperts = {.count = {"n_routed_experts"},
                                         .top_k = {"num_experts_per_tok"},
                                         .width = {"moe_intermediate_size"},
                                         .shared = {"n_shared_experts", 1},
                                         .shared_width = "moe_shared_expert_intermediate_size",
                                         .correction = true};
constexpr ExpertKeys kGraniteExperts = {.count = {"num_local_experts", 8},
                                        .top_k = {"num_experts_per_tok", 2},
                                        .width = {"intermediate_size"},
                                        .shared_width = "shared_intermediate_size"};
constexpr ExpertKeys kGraniteHybridExperts = {.count = {"num_local_experts"},
                                              .top_k = {"num_experts_per_tok"},
                                              .width = {"intermediate_size"},
                                              .shared_width = "shared_intermediate_size",
                                              .shared_width_missing = 1024};
constexpr ExpertKeys kJambaExperts = {.count = {"num_experts", 16},
                                      .top_k = {"num_experts_per_tok", 2},
                                      .width = {"intermediate_size", 14336}};
constexpr ExpertKeys kPhiExperts = {.count = {"num_local_experts", 16},
                                    .top_k = {"num_experts_per_tok", 2},
                                    .width = {"intermediate_size", 6400}};
constexpr ExpertKeys kErnieExperts = {.count = {"moe_num_experts", 64},
                                      .top_k = {"moe_k", 6},
                                      .width = {"moe_intermediate_size", 1536},
                                      .shared = {"moe_num_shared_experts", 2},
                                      .correction = true};
constexpr ExpertKeys kBailingExperts = {.count = {"num_experts"},
                                        .top_k = {"num_experts_per_tok"},
                                        .width = {"moe_intermediate_size"},
                                        .shared = {"num_shared_experts", 0},
                                        .correction = true,
                                        .correction_key = "moe_router_enable_expert_bias"};
constexpr ExpertKeys kLongcatExperts = {.count = {"n_routed_experts"},
                                        .top_k = {"moe_topk"},
                                        .width = {"expert_ffn_hidden_size"},
                                        .correction = true};
constexpr ExpertKeys kKimiExperts = {.count = {"num_experts|n_routed_experts"},
                                     .top_k = {"num_experts_per_token|num_experts_per_tok"},
                                     .width = {"moe_intermediate_size"},
                                     .shared = {"num_shared_experts|n_shared_experts", 0},
                                     .correction = true};
constexpr ExpertKeys kStepExperts = {.count = {"moe_num_experts|num_experts|n_routed_experts"},
                                     .top_k = {"moe_top_k|num_experts_per_tok"},
                                     .width = {"moe_intermediate_size"},
                                     .shared_width = "share_expert_dim",
                                     .correction = true,
                                     .correction_key = "use_moe_router_bias"};
constexpr ExpertKeys kMimoExperts = {.count = {"n_routed_experts"},
                                     .top_k = {"num_experts_per_tok"},
                                     .width = {"moe_intermediate_size"},
                                     .shared = {"n_shared_experts", 0},
                                     .correction = true};
constexpr ExpertKeys kOlmoeExperts = {.count = {"num_experts", 64},
                                      .top_k = {"num_experts_per_tok", 8},
                                      .width = {"intermediate_size", 2048}};

// Names of matrices that are not as Llama's, Qwen's and DeepSeek's.
constexpr ModuleNames kQwenNames = {.shared = "shared_expert", .predicted = "mtp.layers"};
constexpr ModuleNames kMixtralNames = {.moe = "block_sparse_moe", .numbered = true};
constexpr ModuleNames kGptOssNames = {.router = "router"};
constexpr ModuleNames kLlama4Names = {
    .dense = "feed_forward", .moe = "feed_forward", .shared = "shared_expert", .router = "router"};
constexpr ModuleNames kGemma4Names = {.moe = "", .experts = "experts", .router = "router"};
constexpr ModuleNames kDeepseek4Names = {
    .attention = "attn",
    .dense = "ffn",
    .moe = "ffn",
    .head = "head",
    .predicted = "mtp",
    .numbered = true};
constexpr ModuleNames kNemotronNames = {
    .attention = "mixer", .linear = "mixer", .dense = "mixer", .moe = "mixer", .predicted = "mtp.layers"};
constexpr ModuleNames kGraniteNames = {
    .linear = "mamba", .dense = "shared_mlp", .moe = "block_sparse_moe", .shared = "shared_mlp"};
constexpr ModuleNames kJambaNames = {
    .linear = "mamba", .dense = "feed_forward", .moe = "feed_forward", .router = "router"};
constexpr ModuleNames kKimiNames = {
    .linear = "self_attn", .moe = "block_sparse_moe", .numbered = true};
constexpr ModuleNames kMiniMaxNames = {
    .linear = "self_attn", .moe = "block_sparse_moe", .numbered = true};
constexpr ModuleNames kStepNames = {.moe = "moe", .shared = "share_expert"};
constexpr ModuleNames kHunyuanNames = {.shared = "shared_mlp"};

// Decoders without arithmetic of their own.
constexpr Traits kLlama = {};
constexpr Traits kMistral = {.kv_heads = 8, .windows = Windows::kAll, .window = 4096};
constexpr Traits kMixtral = {.kv_heads = 8, .windows = Windows::kAll, .experts = &kMixtralExperts};
constexpr Traits kQwen2 = {.kv_heads = 32, .biases = Biases::kQkv, .windows = Windows::kQwen};
constexpr Traits kQwen2Moe = {.kv_heads = 16,
                              .biases = Biases::kQkv,
                              .windows = Windows::kQwen,
                              .experts = &kQwen2Experts};
constexpr Traits kQwen3 = {
    .kv_heads = 32, .head_dim = 128, .qk_norms = QkNorms::kPerHead, .windows = Windows::kQwen};
constexpr Traits kQwen3Moe = {.kv_heads = 4,
                              .qk_norms = QkNorms::kPerHead,
                              .windows = Windows::kQwen,
                              .experts = &kQwen3Experts};
constexpr Traits kQwen3Next = {.kv_heads = 2,
                               .head_dim = 256,
                               .qk_norms = QkNorms::kPerHead,
                               .full_every = 4,
                               .experts = &kQwenNextExperts};
constexpr Traits kQwen35 = {
    .kv_heads = 4, .head_dim = 256, .qk_norms = QkNorms::kPerHead, .full_every = 4};
constexpr Traits kQwen35Moe = {.kv_heads = 2,
                               .head_dim = 256,
                               .qk_norms = QkNorms::kPerHead,
                               .full_every = 4,
                               .experts = &kQwen35Experts};
constexpr Traits kDeepseek = {.experts = &kDeepseekExperts};
constexpr Traits kDeepseek3 = {.dense_width = 18432, .copies = true, .experts = &kDeepseek3Experts};
constexpr Traits kDeepseek4 = {.byte_scales = true, .experts = &kDeepseek3Experts};
constexpr Traits kDeepseek32 = {
    .dense_width = 18432, .copies = true, .indexed = true, .experts = &kDeepseek3Experts};
constexpr Traits kGlmDsa = {.dense_width = 12288, .indexed = true, .experts = &kDeepseek3Experts};
constexpr Traits kGlm4 = {.kv_heads = 2, .biases = Biases::kQkvByKey, .norms = 4};
constexpr Traits kGlm4Moe = {.kv_heads = 8,
                             .biases = Biases::kQkvByKey,
                             .qk_norms = QkNorms::kPerHeadByKey,
                             .predicts = true,
                             .copies = true,
                             .experts = &kGlmExperts};
constexpr Traits kGptOss = {.kv_heads = 8,
                            .head_dim = 64,
                            .biased = true,
                            .windows = Windows::kPattern,
                            .window = 128,
                            .full_every = 2,
                            .sinks = true,
                            .experts = &kGptOssExperts};
constexpr Traits kLlama4 = {.kv_heads = 8, .head_dim = 128, .experts = &kLlama4Experts};
constexpr Traits kGemma = {.kv_heads = 16, .head_dim = 256, .tied = true};
constexpr Traits kGemma2 = {.kv_heads = 4,
                            .head_dim = 256,
                            .windows = Windows::kPattern,
                            .window = 4096,
                            .full_every = 2,
                            .tied = true,
                            .norms = 4};
constexpr Traits kGemma3 = {.kv_heads = 4,
                            .head_dim = 256,
                            .qk_norms = QkNorms::kPerHead,
                            .windows = Windows::kPattern,
                            .window = 4096,
                            .full_every = 6,
                            .tied = true,
                            .norms = 4};
constexpr Traits kGemma3n = {.kv_heads = 2,
                             .head_dim = 256,
                             .qk_norms = QkNorms::kPerHead,
                             .window = 512,
                             .full_every = 5,
                             .tied = true,
                             .norms = 4,
                             .dense_width = 16384};
constexpr Traits kGemma4 = {.kv_heads = 4,
                            .head_dim = 256,
                            .qk_norms = QkNorms::kPerHead,
                            .window = 512,
                            .full_every = 6,
                            .last_full = true,
                            .tied = true,
                            .norms = 4,
                            .experts = &kGemma4Experts};
constexpr Traits kMiniMax = {.kv_heads = 8, .experts = &kMiniMaxExperts};
constexpr Traits kMiniMax2 = {.kv_heads = 8,
                              .qk_norms = QkNorms::kAllHeadsByKey,
                              .qk_normed = true,
                              .experts = &kMiniMax2Experts};
constexpr Traits kMiniMax3 = {
    .qk_norms = QkNorms::kPerHeadByKey, .qk_normed = true, .experts = &kMiniMax3Experts};
constexpr Traits kNemotron = {.kv_heads = 8, .experts = &kNemotronExperts};
constexpr Traits kGraniteMoe = {.experts = &kGraniteExperts};
constexpr Traits kGraniteHybrid = {.experts = &kGraniteHybridExperts};
constexpr Traits kJamba = {.kv_heads = 8, .dense_width = 14336, .experts = &kJambaExperts};
constexpr Traits kPhi3 = {.windows = Windows::kAll};
constexpr Traits kPhiMoe = {.kv_heads = 8,
                            .windows = Windows::kAll,
                            .norm_bias = true,
                            .experts = &kPhiExperts};
constexpr Traits kErnie = {.kv_heads = 4, .head_dim = 128, .biases = Biases::kNone, .tied = true};
constexpr Traits kErnieMoe = {.kv_heads = 4,
                              .head_dim = 128,
                              .biases = Biases::kNone,
                              .tied = true,
                              .experts = &kErnieExperts};
constexpr Traits kHunyuan = {.qk_norms = QkNorms::kPerHeadByKey};
constexpr Traits kBailing = {.biases = Biases::kNone,
                             .qk_norms = QkNorms::kPerHeadByKey,
                             .experts = &kBailingExperts};
constexpr Traits kLongcat = {.experts = &kLongcatExperts};
constexpr Traits kStep = {.experts = &kStepExperts};
constexpr Traits kMimo = {.kv_heads = 32,
                          .biases = Biases::kQkvByKey,
                          .biased = true,
                          .windows = Windows::kQwen,
                          .predicts = true};
constexpr Traits kMimo2 = {.biases = Biases::kQkvByKey, .experts = &kMimoExperts};
constexpr Traits kKimi = {.experts = &kKimiExperts};
constexpr Traits kCohere = {
    .qk_norms = QkNorms::kAllHeadsByKey, .tied = true, .norms = 1, .parallel = true};
constexpr Traits kCohere2 = {.windows = Windows::kPattern,
                             .window = 4096,
                             .full_every = 4,
                             .tied = true,
                             .norms = 1,
                             .parallel = true};
constexpr Traits kOlmo2 = {.qk_norms = QkNorms::kAllHeads};
constexpr Traits kOlmo3 = {.qk_norms = QkNorms::kAllHeads,
                           .windows = Windows::kPattern,
                           .window = 4096,
                           .full_every = 4};
constexpr Traits kOlmoe = {
    .kv_heads = 16, .qk_norms = QkNorms::kAllHeads, .experts = &kOlmoeExperts};
constexpr Traits kFalcon = {.tied = true, .norm_bias = true};
constexpr Traits kGpt = {.tied = true, .norm_bias = true};
constexpr Traits kGptJ = {
    .norms = 1, .norm_bias = true, .parallel = true, .head_bias = true};
constexpr Traits kNeoX = {.norm_bias = true};

constexpr std::string_view kLatentNothing = "head_dim num_key_value_heads qk_head_dim";
// Its layer_types say "deepseek_sparse_attention", or "full_attention" of the same layers.
constexpr std::string_view kDsaNothing = "head_dim num_key_value_heads qk_head_dim layer_types";

constexpr Family kFamilies[] = {
    {"llama", read_decoder, kLlama},
    {"mistral", read_decoder, kMistral},
    {"ministral3", read_decoder, kMistral},
    {"mistral3", read_decoder, kMistral},
    {"mixtral", read_decoder, kMixtral, kMixtralNames},
    {"qwen2", read_decoder, kQwen2},
    {"qwen2_vl", read_decoder, kQwen2},
    {"qwen2_vl_text", read_decoder, kQwen2},
    {"qwen2_5_vl", read_decoder, kQwen2},
    {"qwen2_5_vl_text", read_decoder, kQwen2},
    {"qwen2_moe", read_decoder, kQwen2Moe, kQwenNames},
    {"qwen3", read_decoder, kQwen3},
    {"qwen3_vl", read_decoder, kQwen3},
    {"qwen3_vl_text", read_decoder, kQwen3},
    {"qwen3_moe", read_decoder, kQwen3Moe, {}, "qkv_bias shared_expert_intermediate_size"},
    {"qwen3_vl_moe", read_decoder, kQwen3Moe},
    {"qwen3_vl_moe_text", read_decoder, kQwen3Moe},
    {"qwen3_next", read_qwen_hybrid, kQwen3Next, kQwenNames},
    {"qwen3_5", read_qwen_hybrid, kQwen35, kQwenNames},
    {"qwen3_5_text", read_qwen_hybrid, kQwen35, kQwenNames},
    {"qwen3_5_moe", read_qwen_hybrid, kQwen35Moe, kQwenNames},
    {"qwen3_5_moe_text", read_qwen_hybrid, kQwen35Moe, kQwenNames},
    {"deepseek", read_decoder, kDeepseek},
    {"deepseek_v2", read_latent, kDeepseek, {}, kLatentNothing},
    {"deepseek_v3", read_latent, kDeepseek3, {}, kLatentNothing},
    {"deepseek_v32", read_latent, kDeepseek32, {}, kDsaNothing},
    {"deepseek_v4", read_deepseek_v4, kDeepseek4, kDeepseek4Names, "head_dim num_key_value_heads"},
    {"deepseek_ref", read_deepseek_v4, kDeepseek4, kDeepseek4Names, "num_key_value_heads"},
    {"kimi_k2", read_latent, kDeepseek3, {}, kLatentNothing},
    {"kimi_k25", read_latent, kDeepseek3, {}, kLatentNothing},
    {"kimi_linear", read_kimi_linear, kKimi, kKimiNames, kLatentNothing},
    {"kimi_k3", read_kimi_linear, kKimi, kKimiNames, kLatentNothing},
    {"glm4", read_decoder, kGlm4},
    {"glm4_moe", read_decoder, kGlm4Moe},
    {"glm4v_moe", read_decoder, kGlm4Moe},
    {"glm4v_moe_text", read_decoder, kGlm4Moe},
    {"glm4_moe_lite", read_latent, {.dense_width = 10240, .experts = &kGlmLiteExperts}, {}, kLatentNothing},
    {"glm_moe_dsa", read_latent, kGlmDsa, {}, kDsaNothing},
    {"gpt_oss", read_decoder, kGptOss, kGptOssNames},
    {"llama4", read_llama4, kLlama4, kLlama4Names},
    {"llama4_text", read_llama4, kLlama4, kLlama4Names},
    {"gemma", read_decoder, kGemma},
    {"gemma2", read_decoder, kGemma2},
    {"gemma3", read_decoder, kGemma3},
    {"gemma3_text", read_decoder, kGemma3},
    {"gemma3n", read_gemma3n, kGemma3n},
    {"gemma3n_text", read_gemma3n, kGemma3n},
    {"gemma4", read_gemma4, kGemma4, kGemma4Names},
    {"gemma4_text", read_gemma4, kGemma4, kGemma4Names},
    {"minimax", read_minimax_lightning, kMiniMax, kMiniMaxNames},
    {"minimax_text_01", read_minimax_lightning, kMiniMax, kMiniMaxNames},
    {"minimax_m1", read_minimax_lightning, kMiniMax, kMiniMaxNames},
    {"minimax_m2", read_decoder, kMiniMax2, kMiniMaxNames, "num_mtp_modules attn_type_list"},
    {"minimax_m3", read_minimax_m3, kMiniMax3, kMiniMaxNames, "num_mtp_modules num_nextn_predict_layers"},
    {"minimax_m3_vl", read_minimax_m3, kMiniMax3, kMiniMaxNames, "num_mtp_modules num_nextn_predict_layers"},
    {"nemotron_h", read_nemotron_h, kNemotron, kNemotronNames},
    {"nemotron-nas", read_nemotron_nas, kLlama},
    {"granite", read_decoder, kLlama},
    {"granitemoe", read_decoder, kGraniteMoe, kGraniteNames},
    {"granitemoehybrid", read_granite_hybrid, kGraniteHybrid, kGraniteNames},
    {"jamba", read_jamba, kJamba, kJambaNames},
    {"phi3", read_decoder, kPhi3},
    {"phimoe", read_decoder, kPhiMoe, kMixtralNames},
    {"ernie4_5", read_ernie_moe, kErnie},
    {"ernie4_5_moe", read_ernie_moe, kErnieMoe},
    {"hunyuan_v1_moe", read_hunyuan, kHunyuan, kHunyuanNames},
    {"hunyuan_v1_dense", read_hunyuan, kHunyuan, kHunyuanNames},
    {"hunyuan", read_hunyuan, kHunyuan, kHunyuanNames},
    {"bailing_moe", read_bailing, kBailing},
    {"bailing_moe_v2", read_bailing, kBailing},
    {"longcat_flash", read_longcat, kLongcat, {}, kLatentNothing},
    {"step3p5", read_step, kStep, kStepNames, "n_shared_experts"},
    {"step3p7", read_step, kStep, kStepNames, "n_shared_experts"},
    {"mimo", read_decoder, kMimo},
    {"mimo_v2_flash", read_mimo_v2, kMimo2, {}, "attention_chunk_size"},
    {"cohere", read_decoder, kCohere},
    {"cohere2", read_decoder, kCohere2},
    {"dbrx", read_dbrx, kLlama},
    {"olmo2", read_decoder, kOlmo2},
    {"olmo3", read_decoder, kOlmo3},
    {"olmoe", read_decoder, kOlmoe},
    {"falcon", read_falcon, kFalcon},
    {"gpt2", read_gpt2, kGpt},
    {"gptj", read_gptj, kGptJ},
    {"gpt_neox", read_gpt_neox, kNeoX},
    {"bloom", read_bloom, kGpt},
    {"opt", read_opt, kGpt},
};

}  // namespace

std::span<const Family> families() { return kFamilies; }

}  // namespace rehearse
