// Names of matrices in checkpoints that are not as Llama's, Qwen's and DeepSeek's.
#pragma once

#include "input/hf/family.hpp"

namespace rehearse {

inline constexpr ModuleNames kQwenNames = {.shared = "shared_expert", .predicted = "mtp.layers"};
inline constexpr ModuleNames kMixtralNames = {.moe = "block_sparse_moe", .numbered = true};
inline constexpr ModuleNames kGptOssNames = {.router = "router"};
inline constexpr ModuleNames kLlama4Names = {
    .dense = "feed_forward", .moe = "feed_forward", .shared = "shared_expert", .router = "router"};
inline constexpr ModuleNames kGemma4Names = {.moe = "", .experts = "experts", .router = "router"};
inline constexpr ModuleNames kDeepseek4Names = {.attention = "attn",
                                                .dense = "ffn",
                                                .moe = "ffn",
                                                .head = "head",
                                                .predicted = "mtp",
                                                .numbered = true};
inline constexpr ModuleNames kNemotronNames = {.attention = "mixer",
                                               .linear = "mixer",
                                               .dense = "mixer",
                                               .moe = "mixer",
                                               .predicted = "mtp.layers"};
inline constexpr ModuleNames kGraniteNames = {
    .linear = "mamba", .dense = "shared_mlp", .moe = "block_sparse_moe", .shared = "shared_mlp"};
inline constexpr ModuleNames kJambaNames = {
    .linear = "mamba", .dense = "feed_forward", .moe = "feed_forward", .router = "router"};
inline constexpr ModuleNames kKimiNames = {
    .linear = "self_attn", .moe = "block_sparse_moe", .numbered = true};
inline constexpr ModuleNames kMiniMaxNames = {
    .linear = "self_attn", .moe = "block_sparse_moe", .numbered = true};
inline constexpr ModuleNames kStepNames = {.moe = "moe", .shared = "share_expert"};
inline constexpr ModuleNames kHunyuanNames = {.shared = "shared_mlp"};

}  // namespace rehearse
