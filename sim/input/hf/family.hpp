// The families of models: what each model_type's config.json says, and what it leaves out. A family
// is a row of kFamilies (families.cpp); one without arithmetic of its own is nothing but its
// traits.
#pragma once

#include <span>
#include <string_view>

namespace rehearse {

class FamilyReader;

// Biases of the projections of attention: always, or as attention_bias says.
enum class Biases { kNone, kQkv, kAll, kQkvByKey, kAllByKey };

// Norms of queries and keys: always, or where use_qk_norm says so.
enum class QkNorms { kNone, kPerHead, kPerHeadByKey, kAllHeads, kAllHeadsByKey };

// Which layers have the sliding_window, where no layer_types say it.
enum class Windows {
  kNone,     // a stated window is refused
  kAll,      // every layer
  kQwen,     // from max_window_layers on, where use_sliding_window is true
  kQwenMoe,  // every other one below max_window_layers, where it is
  kPattern,  // all but every Traits::full_every-th
};

// A key, "a|b" where several mean the same, and what a missing one means.
constexpr int kRequired = -1;
struct KeyOr {
  std::string_view key = {};
  int missing = kRequired;
};

// Keys of the experts. Which layers have them: read_moe_layers (layers.cpp).
struct ExpertKeys {
  KeyOr count;
  KeyOr top_k;
  KeyOr width;
  KeyOr shared = {};                   // how many; no key: none, or one where shared_width is there
  std::string_view shared_width = {};  // a shared expert's own; no key: as a routed one's
  int shared_width_missing = 0;
  bool shared_gate = false;
  bool correction = false;               // the router corrects its scores, in fp32
  std::string_view correction_key = {};  // unless this says otherwise
  int first_dense = 0;                   // of a missing first_k_dense_replace
  int groups = 1;                        // of a missing n_group
  int top_groups = 0;                    // of a missing topk_group; 0: all of them
  bool bias = false;                     // of each matrix of an expert, and of the router (gpt-oss)
};

// Latent attention, where keys are missing.
struct LatentDefaults {
  int query_rank = 0;  // 0: none
  int kv_rank = 0;
  int nope_dim = 0;
  int rope_dim = 0;
  int value_dim = 0;
};

// What differs between plain decoders.
struct Traits {
  int heads = kRequired;  // of a missing num_attention_heads
  int vocab = kRequired;  // of a missing vocab_size
  int kv_heads = 0;       // of a missing num_key_value_heads; 0: as many as heads
  int head_dim = 0;       // of a missing head_dim; 0: hidden_size / num_attention_heads
  Biases biases = Biases::kAllByKey;
  bool biased = false;  // of a missing bias_key
  std::string_view bias_key = "attention_bias";
  QkNorms qk_norms = QkNorms::kNone;
  bool qk_normed = false;  // of a missing use_qk_norm
  Windows windows = Windows::kNone;
  int window = 0;          // of a missing sliding_window; 0: there is none
  int full_every = 0;      // Windows::kPattern, and of linear attention
  bool sinks = false;      // a term more in each head's softmax
  bool last_full = false;  // the last layer attends to all
  bool tied = false;       // of a missing tie_word_embeddings
  int norms = 0;           // per layer; 0: one before attention, one before the FFN
  bool norm_bias = false;
  bool parallel = false;  // attention and FFN on the same input
  bool head_bias = false;
  int dense_width = kRequired;  // of a missing intermediate_size
  bool predicts = false;        // num_nextn_predict_layers are blocks like the last layer
  bool copies = false;          // they store embedding and LM head once more
  bool byte_scales = false;     // scales of fp8 blocks are e8m0
  bool indexed = false;         // an indexer picks the tokens of latent attention
  int kv_shared = 0;            // of a missing num_kv_shared_layers
  const LatentDefaults* latent = nullptr;  // of missing ranks and dimensions; DeepSeek-V3's
  const ExpertKeys* experts = nullptr;
};

// Matrices by their names in checkpoints, for lists of what is quantised.
struct ModuleNames {
  std::string_view attention = "self_attn";
  std::string_view linear = "linear_attn";  // of linear attention and state-space layers
  std::string_view dense = "mlp";
  std::string_view moe = "mlp";
  std::string_view experts = "experts";
  std::string_view shared = "shared_experts";
  std::string_view router = "gate";
  std::string_view head = "lm_head";
  std::string_view predicted = "model.layers";  // behind the last layer; "mtp.layers": from 0 on
  bool numbered = false;  // w1, w3 and w2 instead of gate_proj, up_proj and down_proj
};

struct Family {
  std::string_view model_type;
  void (*read)(FamilyReader& reader);
  Traits traits = {};
  ModuleNames names = {};
  std::string_view ignored = {};  // keys that mean nothing here, separated by blanks
};

std::span<const Family> families();

}  // namespace rehearse
