// How the layers of a model mix tokens, by their dimensions: softmax attention over heads with what
// decorates it, and the kinds beside it. What follows from them is written in attention/, one file
// for each kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "model/storage.hpp"

namespace rehearse {

enum class QkNorm : std::uint8_t { kNone, kPerHead, kAllHeads, kUnweighted };
enum class OutputGate : std::uint8_t { kNone, kElementwise, kHeadwise };

// Multi-head, grouped-query or multi-query: Attention::heads, kv_heads, head_dim.
struct GroupedQuery {
  bool operator==(const GroupedQuery&) const = default;
};

// Grouped-query over the blocks of keys that index heads find best (MiniMax-M3).
struct BlockSparse {
  int index_heads = 0;
  int index_dim = 0;
  int block = 0;   // keys
  int blocks = 0;  // that a query attends to
  bool operator==(const BlockSparse&) const = default;
};

// A lightning indexer picks the keys that a query attends to (DeepSeek-V3.2).
struct Indexer {
  int heads = 0;
  int head_dim = 0;
  int top_k = 0;
  bool shared = false;  // takes the choice of the layer before it that has its own
  bool operator==(const Indexer&) const = default;
};

// Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434, 2.1).
struct Latent {
  int query_rank = 0;  // 0: queries are projected from `hidden`
  int kv_rank = 0;
  int nope_dim = 0;
  int rope_dim = 0;
  int value_dim = 0;
  std::optional<Indexer> indexer = {};
  bool operator==(const Latent&) const = default;
};

// One key that is its value, whole for near tokens, compressed for far ones (DeepSeek-V4).
struct Compressed {
  int query_rank = 0;
  int rope_dim = 0;
  int ratio = 0;  // tokens in an entry; 0: the window alone
  int output_groups = 0;
  int output_rank = 0;
  std::optional<Indexer> indexer = {};
  bool operator==(const Compressed&) const = default;
};

struct GatedDelta {
  int key_heads = 0;
  int value_heads = 0;
  int key_dim = 0;
  int value_dim = 0;
  int convolution = 0;  // taps
  bool operator==(const GatedDelta&) const = default;
};

struct KimiDelta {
  int heads = 0;
  int head_dim = 0;
  int convolution = 0;
  bool full_rank_gate = false;
  bool operator==(const KimiDelta&) const = default;
};

// Uses Attention::heads and head_dim.
struct Lightning {
  int block = 256;  // tokens that prefill takes at a time
  bool operator==(const Lightning&) const = default;
};

struct Mamba2 {
  int heads = 0;
  int head_dim = 0;
  int groups = 0;
  int state = 0;
  int convolution = 0;
  int chunk = 128;  // tokens that prefill takes at a time
  bool operator==(const Mamba2&) const = default;
};

struct Mamba {
  int inner = 0;
  int state = 0;
  int convolution = 0;
  int rank = 0;        // of the time step
  bool norms = false;  // of the time step, B and C (Jamba)
  bool operator==(const Mamba&) const = default;
};

using AttentionShapeOfKind = std::variant<GroupedQuery, BlockSparse, Latent, Compressed, GatedDelta,
                                          KimiDelta, Lightning, Mamba2, Mamba>;

struct Attention {
  int heads = 0;  // of queries
  int kv_heads = 0;
  int head_dim = 0;
  // Biases on the Q, K, V and output projections (gpt-oss); counted as parameters only.
  bool bias = false;

  std::string name = {};
  AttentionShapeOfKind kind = {};
  std::optional<bool> qkv_bias = {};  // where they differ from `bias`
  std::optional<bool> output_bias = {};
  int value_dim = 0;  // of a head; 0: head_dim
  QkNorm qk_norm = QkNorm::kNone;
  OutputGate gate = OutputGate::kNone;
  bool sinks = false;            // one more term of each head's softmax
  bool keys_are_values = false;  // no projection of V
  int window = 0;                // a query sees the last so many tokens, itself included; 0: all
  int chunk = 0;                 // a query sees its chunk of so many, up to itself; 0: all
  bool shares_kv = false;        // that of the last layer before it of the same kind of window
  bool kv_weights = false;       // has the projections of K and V all the same
  Dtype state_dtype = Dtype::kFp32;  // of the recurrent state

  int values() const { return value_dim > 0 ? value_dim : head_dim; }
  bool has_qkv_bias() const { return qkv_bias.value_or(bias); }
  bool has_output_bias() const { return output_bias.value_or(bias); }
  bool projects_kv() const { return !shares_kv || kv_weights; }
};

}  // namespace rehearse
