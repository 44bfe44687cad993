// One row for each model_type. A missing key means what transformers' class of that type has.
#include "input/hf/checkpoint_names.hpp"
#include "input/hf/expert_keys.hpp"
#include "input/hf/families/readers.hpp"
#include "input/hf/family.hpp"

namespace rehearse {
namespace {

// Decoders without arithmetic of their own.
constexpr Traits kLlama = {};
constexpr Traits kMistral = {.kv_heads = 8, .windows = Windows::kAll, .window = 4096};
constexpr Traits kMixtral = {.kv_heads = 8, .windows = Windows::kAll, .experts = &kMixtralExperts};
constexpr Traits kQwen2 = {.kv_heads = 32, .biases = Biases::kQkv, .windows = Windows::kQwen};
constexpr Traits kQwen2Moe = {.kv_heads = 16,
                              .biases = Biases::kQkvByKey,
                              .biased = true,
                              .bias_key = "qkv_bias",
                              .windows = Windows::kQwenMoe,
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
constexpr Traits kDeepseek4 = {.byte_scales = true, .experts = &kDeepseek4Experts};
constexpr Traits kDeepseek32 = {
    .dense_width = 18432, .copies = true, .indexed = true, .experts = &kDeepseek3Experts};
constexpr LatentDefaults kGlmDsaLatent = {2048, 512, 192, 64, 256};
constexpr Traits kGlmDsa = {
    .dense_width = 12288, .indexed = true, .latent = &kGlmDsaLatent, .experts = &kGlmDsaExperts};
constexpr LatentDefaults kGlmLiteLatent = {768, 512, 192, 64, 256};  // mlx-lm: glm4_moe_lite
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
constexpr Traits kLlama4 = {
    .heads = 40, .vocab = 202048, .kv_heads = 8, .head_dim = 128, .experts = &kLlama4Experts};
constexpr Traits kGemma = {.kv_heads = 16, .head_dim = 256, .tied = true};
constexpr Traits kGemma2 = {.kv_heads = 4,
                            .head_dim = 256,
                            .windows = Windows::kPattern,
                            .window = 4096,
                            .full_every = 2,
                            .tied = true,
                            .norms = 4};
constexpr Traits kGemma3 = {.heads = 8,
                            .vocab = 262208,
                            .kv_heads = 4,
                            .head_dim = 256,
                            .qk_norms = QkNorms::kPerHead,
                            .windows = Windows::kPattern,
                            .window = 4096,
                            .full_every = 6,
                            .tied = true,
                            .norms = 4};
constexpr Traits kGemma3n = {.heads = 8,
                             .vocab = 262400,
                             .kv_heads = 2,
                             .head_dim = 256,
                             .qk_norms = QkNorms::kPerHead,
                             .window = 512,
                             .full_every = 5,
                             .tied = true,
                             .norms = 4,
                             .dense_width = 16384,
                             .kv_shared = 15};
constexpr Traits kGemma4 = {.heads = 8,
                            .vocab = 262144,
                            .kv_heads = 4,
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
constexpr Traits kPhiMoe = {
    .kv_heads = 8, .windows = Windows::kAll, .norm_bias = true, .experts = &kPhiExperts};
constexpr Traits kErnie = {.kv_heads = 4, .head_dim = 128, .biases = Biases::kNone, .tied = true};
constexpr Traits kErnieMoe = {.kv_heads = 4,
                              .head_dim = 128,
                              .biases = Biases::kNone,
                              .tied = true,
                              .experts = &kErnieExperts};
constexpr Traits kHunyuan = {.qk_norms = QkNorms::kPerHeadByKey, .qk_normed = true};
constexpr Traits kBailing = {
    .biases = Biases::kNone, .qk_norms = QkNorms::kPerHeadByKey, .experts = &kBailingExperts};
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
constexpr Traits kOlmo3 = {
    .qk_norms = QkNorms::kAllHeads, .windows = Windows::kPattern, .window = 4096, .full_every = 4};
constexpr Traits kOlmoe = {
    .kv_heads = 16, .qk_norms = QkNorms::kAllHeads, .experts = &kOlmoeExperts};
constexpr Traits kFalcon = {.tied = true, .norm_bias = true};
constexpr Traits kGpt = {.tied = true, .norm_bias = true};
constexpr Traits kGptJ = {.norms = 1, .norm_bias = true, .parallel = true, .head_bias = true};
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
    {"qwen3_moe", read_decoder, kQwen3Moe},
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
    {"glm4_moe_lite",
     read_latent,
     {.dense_width = 10240, .latent = &kGlmLiteLatent, .experts = &kGlmLiteExperts},
     {},
     kLatentNothing},
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
    {"minimax_m3", read_minimax_m3, kMiniMax3, kMiniMaxNames,
     "num_mtp_modules num_nextn_predict_layers"},
    {"minimax_m3_vl", read_minimax_m3, kMiniMax3, kMiniMaxNames,
     "num_mtp_modules num_nextn_predict_layers"},
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
