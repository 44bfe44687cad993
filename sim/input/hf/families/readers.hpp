// The readers of families with arithmetic of their own, one file each.
#pragma once

#include "input/hf/family_reader.hpp"

namespace rehearse {

void read_qwen_hybrid(FamilyReader& reader);  // qwen3_next, qwen3_5
void read_latent(FamilyReader& reader);       // deepseek_v2, v3, v32, kimi_k2, GLM's
void read_deepseek_v4(FamilyReader& reader);
void read_longcat(FamilyReader& reader);
void read_kimi_linear(FamilyReader& reader);
void read_llama4(FamilyReader& reader);
void read_gemma3n(FamilyReader& reader);
void read_gemma4(FamilyReader& reader);
void read_minimax_lightning(FamilyReader& reader);  // minimax, minimax_text_01, minimax_m1
void read_minimax_m3(FamilyReader& reader);
void read_nemotron_h(FamilyReader& reader);
void read_nemotron_nas(FamilyReader& reader);
void read_granite_hybrid(FamilyReader& reader);
void read_jamba(FamilyReader& reader);
void read_step(FamilyReader& reader);
void read_mimo_v2(FamilyReader& reader);
void read_ernie_moe(FamilyReader& reader);
void read_hunyuan(FamilyReader& reader);
void read_bailing(FamilyReader& reader);
void read_falcon(FamilyReader& reader);
void read_dbrx(FamilyReader& reader);
void read_gpt2(FamilyReader& reader);
void read_gptj(FamilyReader& reader);
void read_gpt_neox(FamilyReader& reader);
void read_opt(FamilyReader& reader);
void read_bloom(FamilyReader& reader);

// Multi-head latent attention, from q_lora_rank, kv_lora_rank and the dimensions of a head.
constexpr LatentDefaults kDeepseekLatent = {1536, 512, 128, 64, 128};
void read_latent_attention(FamilyReader& reader, const LatentDefaults& missing,
                           proto::Attention& attention);

// The dtype of a recurrent state, as mamba_ssm_cache_dtype or mamba_ssm_dtype say; else fp32.
void read_state_dtype(FamilyReader& reader, proto::Attention& attention);

}  // namespace rehearse
