// Experts by who names their keys so; missing ones are those of the class in transformers.
#pragma once

#include "input/hf/family.hpp"

namespace rehearse {

inline constexpr ExpertKeys kMixtralExperts = {.count = {"num_local_experts|num_experts", 8},
                                               .top_k = {"num_experts_per_tok", 2},
                                               .width = {"intermediate_size"}};
inline constexpr ExpertKeys kQwen2Experts = {.count = {"num_experts", 60},
                                             .top_k = {"num_experts_per_tok", 4},
                                             .width = {"moe_intermediate_size", 1408},
                                             .shared_width = "shared_expert_intermediate_size",
                                             .shared_width_missing = 5632,
                                             .shared_gate = true};
inline constexpr ExpertKeys kQwen3Experts = {.count = {"num_experts", 128},
                                             .top_k = {"num_experts_per_tok", 8},
                                             .width = {"moe_intermediate_size", 768}};
inline constexpr ExpertKeys kQwenNextExperts = {.count = {"num_experts", 512},
                                                .top_k = {"num_experts_per_tok", 10},
                                                .width = {"moe_intermediate_size", 512},
                                                .shared_width = "shared_expert_intermediate_size",
                                                .shared_width_missing = 512,
                                                .shared_gate = true};
inline constexpr ExpertKeys kQwen35Experts = {.count = {"num_experts", 256},
                                              .top_k = {"num_experts_per_tok", 8},
                                              .width = {"moe_intermediate_size", 512},
                                              .shared_width = "shared_expert_intermediate_size",
                                              .shared_width_missing = 512,
                                              .shared_gate = true};
inline constexpr ExpertKeys kDeepseekExperts = {.count = {"n_routed_experts"},
                                                .top_k = {"num_experts_per_tok"},
                                                .width = {"moe_intermediate_size", 1407},
                                                .shared = {"n_shared_experts", 0}};
inline constexpr ExpertKeys kDeepseek3Experts = {.count = {"n_routed_experts|num_experts", 256},
                                                 .top_k = {"num_experts_per_tok", 8},
                                                 .width = {"moe_intermediate_size", 2048},
                                                 .shared = {"n_shared_experts", 1},
                                                 .correction = true,
                                                 .first_dense = 3,
                                                 .groups = 8,
                                                 .top_groups = 4};
inline constexpr ExpertKeys kDeepseek4Experts = {.count = {"n_routed_experts|num_experts", 256},
                                                 .top_k = {"num_experts_per_tok", 6},
                                                 .width = {"moe_intermediate_size", 2048},
                                                 .shared = {"n_shared_experts", 1},
                                                 .correction = true};
inline constexpr ExpertKeys kGlmDsaExperts = {.count = {"n_routed_experts|num_experts", 256},
                                              .top_k = {"num_experts_per_tok", 8},
                                              .width = {"moe_intermediate_size", 2048},
                                              .shared = {"n_shared_experts", 1},
                                              .correction = true,
                                              .first_dense = 3};
inline constexpr ExpertKeys kGlmExperts = {.count = {"n_routed_experts|num_experts", 128},
                                           .top_k = {"num_experts_per_tok", 8},
                                           .width = {"moe_intermediate_size", 1408},
                                           .shared = {"n_shared_experts", 1},
                                           .correction = true,
                                           .first_dense = 1};
inline constexpr ExpertKeys kGlmLiteExperts = {.count = {"n_routed_experts|num_experts", 64},
                                               .top_k = {"num_experts_per_tok", 4},
                                               .width = {"moe_intermediate_size", 1536},
                                               .shared = {"n_shared_experts", 1},
                                               .correction = true,
                                               .first_dense = 1};
inline constexpr ExpertKeys kGptOssExperts = {.count = {"num_local_experts|num_experts", 128},
                                              .top_k = {"num_experts_per_tok|experts_per_token", 4},
                                              .width = {"intermediate_size", 2880},
                                              .bias = true};
inline constexpr ExpertKeys kLlama4Experts = {.count = {"num_local_experts", 16},
                                              .top_k = {"num_experts_per_tok", 1},
                                              .width = {"intermediate_size", 8192},
                                              .shared_width = "intermediate_size",
                                              .shared_width_missing = 8192};
inline constexpr ExpertKeys kGemma4Experts = {
    .count = {"num_experts"},
    .top_k = {"top_k_experts|num_experts_per_tok"},
    .width = {"moe_intermediate_size|expert_intermediate_size"}};
inline constexpr ExpertKeys kMiniMaxExperts = {.count = {"num_local_experts", 8},
                                               .top_k = {"num_experts_per_tok", 2},
                                               .width = {"intermediate_size"},
                                               .shared_width = "shared_intermediate_size"};
inline constexpr ExpertKeys kMiniMax2Experts = {.count = {"num_local_experts", 256},
                                                .top_k = {"num_experts_per_tok", 8},
                                                .width = {"intermediate_size"},
                                                .shared_width = "shared_intermediate_size",
                                                .correction = true,
                                                .correction_key = "use_routing_bias"};
inline constexpr ExpertKeys kMiniMax3Experts = {
    .count = {"num_local_experts"},
    .top_k = {"num_experts_per_tok"},
    .width = {"moe_intermediate_size|intermediate_size"},
    .shared = {"n_shared_experts", 0},
    .shared_width = "shared_intermediate_size",
    .correction = true,
    .correction_key = "use_routing_bias"};
inline constexpr ExpertKeys kNemotronExperts = {
    .count = {"n_routed_experts"},
    .top_k = {"num_experts_per_tok"},
    .width = {"moe_intermediate_size"},
    .shared = {"n_shared_experts", 1},
    .shared_width = "moe_shared_expert_intermediate_size",
    .correction = true};
inline constexpr ExpertKeys kGraniteExperts = {.count = {"num_local_experts", 8},
                                               .top_k = {"num_experts_per_tok", 2},
                                               .width = {"intermediate_size"},
                                               .shared_width = "shared_intermediate_size"};
inline constexpr ExpertKeys kGraniteHybridExperts = {.count = {"num_local_experts"},
                                                     .top_k = {"num_experts_per_tok"},
                                                     .width = {"intermediate_size"},
                                                     .shared_width = "shared_intermediate_size",
                                                     .shared_width_missing = 1024};
inline constexpr ExpertKeys kJambaExperts = {.count = {"num_experts", 16},
                                             .top_k = {"num_experts_per_tok", 2},
                                             .width = {"intermediate_size", 14336}};
inline constexpr ExpertKeys kPhiExperts = {.count = {"num_local_experts", 16},
                                           .top_k = {"num_experts_per_tok", 2},
                                           .width = {"intermediate_size", 6400}};
inline constexpr ExpertKeys kErnieExperts = {.count = {"moe_num_experts", 64},
                                             .top_k = {"moe_k", 6},
                                             .width = {"moe_intermediate_size", 1536},
                                             .shared = {"moe_num_shared_experts", 2},
                                             .correction = true};
inline constexpr ExpertKeys kBailingExperts = {.count = {"num_experts"},
                                               .top_k = {"num_experts_per_tok"},
                                               .width = {"moe_intermediate_size"},
                                               .shared = {"num_shared_experts", 0},
                                               .correction = true,
                                               .correction_key = "moe_router_enable_expert_bias"};
inline constexpr ExpertKeys kLongcatExperts = {.count = {"n_routed_experts"},
                                               .top_k = {"moe_topk"},
                                               .width = {"expert_ffn_hidden_size"},
                                               .correction = true};
inline constexpr ExpertKeys kKimiExperts = {.count = {"num_experts|n_routed_experts"},
                                            .top_k = {"num_experts_per_token|num_experts_per_tok"},
                                            .width = {"moe_intermediate_size"},
                                            .shared = {"num_shared_experts|n_shared_experts", 0},
                                            .correction = true};
inline constexpr ExpertKeys kStepExperts = {
    .count = {"moe_num_experts|num_experts|n_routed_experts"},
    .top_k = {"moe_top_k|num_experts_per_tok"},
    .width = {"moe_intermediate_size"},
    .shared_width = "share_expert_dim",
    .correction = true,
    .correction_key = "use_moe_router_bias"};
inline constexpr ExpertKeys kMimoExperts = {.count = {"n_routed_experts"},
                                            .top_k = {"num_experts_per_tok"},
                                            .width = {"moe_intermediate_size"},
                                            .shared = {"n_shared_experts", 0},
                                            .correction = true};
inline constexpr ExpertKeys kOlmoeExperts = {.count = {"num_experts", 64},
                                             .top_k = {"num_experts_per_tok", 8},
                                             .width = {"intermediate_size", 2048}};

}  // namespace rehearse
