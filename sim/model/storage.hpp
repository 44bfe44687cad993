// How the weights of a model are stored, part by part, and what their products are multiplied in.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "base/units.hpp"

namespace rehearse {

enum class Dtype : std::uint8_t { kFp32, kBf16, kFp16, kFp8, kInt8, kFp4, kInt4 };
constexpr int kDtypes = 7;
double bytes_per_element(Dtype dtype);  // 4, 2, 2, 1, 1, 0.5, 0.5
const char* to_text(Dtype dtype);       // "fp32", "bf16", ...
std::optional<Dtype> dtype_named(const std::string& name);

// What one operator reads: checkpoints store the parts in different ways.
enum class WeightPart : std::uint8_t {
  kEmbedding,
  kLmHead,
  kQkv,
  kAttentionOutput,
  kRouter,
  kExpertUp,  // of the routed experts: gate and up projection
  kExpertDown,
  kSharedExpertUp,
  kSharedExpertDown,
  kDenseUp,
  kDenseDown,
  kNorms,
  kQueryDown,  // latent attention: hidden to the latents
  kQueryUp,    // latents to heads
  kKvDown,
  kKvUp,
  kIndexer,
  kStateMixer,  // linear kinds: convolutions, decays, gates and norms of the state
  kSharedExpertGate,
  kExpertLatent,  // to the routed experts' width and back
  kCompressor,
  kPrediction,     // the projection of token prediction
  kAttentionGate,  // of attention's output, where it is a matrix of its own
  kCount
};
constexpr int kWeightParts = static_cast<int>(WeightPart::kCount);
const char* to_text(WeightPart part);  // "qkv", as in workloads/schema/model.proto

// `count` matrices that map `inputs` elements to `outputs`.
struct Matrix {
  double outputs = 0;
  double inputs = 0;
  double count = 1;
  double parameters() const { return outputs * inputs * count; }
};

// A quantised matrix has scales beside its elements: one of `scale_bytes` (with its zero point) for
// every block of block_outputs x block_inputs elements, where 0 stands for the matrix's whole side.
struct Storage {
  Dtype dtype = Dtype::kBf16;
  // Of the products, on a GPU that has such units: 4-bit weights of AWQ or GPTQ are unpacked to 16
  // bits, those of NVFP4 are not.
  Dtype arithmetic = Dtype::kBf16;
  double scale_bytes = 0;
  int block_outputs = 0;
  int block_inputs = 0;
  double bytes_per_matrix = 0;  // scales of the whole matrix
  double bytes_per_input = 0;   // GPTQ: the group of each input
  // The scale of the activations that meet these weights is stored beside them ("static"): whoever
  // writes the activations quantises them. Else each product's inputs are searched for theirs.
  bool static_scales = false;

  bool operator==(const Storage&) const = default;
};
Bytes stored_bytes(const Matrix& matrix, const Storage& storage);

// 4 bits and a scale for 32 inputs: OCP Microscaling Formats 1.0, MXFP4.
constexpr int kMxBlock = 32;
inline bool is_mxfp4(const Storage& storage) {
  return storage.dtype == Dtype::kFp4 && storage.block_outputs == 1 &&
         storage.block_inputs == kMxBlock;
}

// The storage of one part in layers first_layer to last_layer.
struct PartStorage {
  WeightPart part = WeightPart::kEmbedding;
  Storage storage;
  int first_layer = 0;
  int last_layer = std::numeric_limits<int>::max();

  bool every_layer() const {
    return first_layer == 0 && last_layer == std::numeric_limits<int>::max();
  }
};

}  // namespace rehearse
