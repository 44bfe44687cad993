#include "model/storage.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>

#include "base/error.hpp"

namespace rehearse {
namespace {

struct DtypeRow {
  Dtype dtype;
  const char* name;
  double bytes;
};
constexpr DtypeRow kRows[] = {{Dtype::kFp32, "fp32", 4},  {Dtype::kBf16, "bf16", 2},
                              {Dtype::kFp16, "fp16", 2},  {Dtype::kFp8, "fp8", 1},
                              {Dtype::kInt8, "int8", 1},  {Dtype::kFp4, "fp4", 0.5},
                              {Dtype::kInt4, "int4", 0.5}};

static_assert(std::size(kRows) == kDtypes);

const DtypeRow& row_of(Dtype dtype) {
  for (const DtypeRow& row : kRows) {
    if (row.dtype == dtype) return row;
  }
  throw InternalError(fmt::format("Dtype {} is not in kRows", static_cast<int>(dtype)));
}

double blocks(double side, int block) { return block == 0 ? 1 : std::ceil(side / block); }

}  // namespace

double bytes_per_element(Dtype dtype) { return row_of(dtype).bytes; }

const char* to_text(Dtype dtype) { return row_of(dtype).name; }

std::optional<Dtype> dtype_named(const std::string& name) {
  for (const DtypeRow& row : kRows) {
    if (name == row.name) return row.dtype;
  }
  return std::nullopt;
}

const char* to_text(WeightPart part) {
  constexpr std::array<const char*, kWeightParts> kNames = {"embedding",
                                                            "lm_head",
                                                            "qkv",
                                                            "attention_output",
                                                            "router",
                                                            "expert_up",
                                                            "expert_down",
                                                            "shared_expert_up",
                                                            "shared_expert_down",
                                                            "dense_up",
                                                            "dense_down",
                                                            "norms",
                                                            "query_down",
                                                            "query_up",
                                                            "kv_down",
                                                            "kv_up",
                                                            "indexer",
                                                            "state_mixer",
                                                            "shared_expert_gate",
                                                            "expert_latent",
                                                            "compressor",
                                                            "prediction",
                                                            "attention_gate"};
  return kNames[static_cast<int>(part)];
}

Bytes stored_bytes(const Matrix& matrix, const Storage& storage) {
  if (matrix.parameters() == 0) return {};
  Bytes bytes{matrix.parameters() * bytes_per_element(storage.dtype)};
  const double scales = blocks(matrix.outputs, storage.block_outputs) *
                        blocks(matrix.inputs, storage.block_inputs) * storage.scale_bytes;
  bytes += Bytes{matrix.count *
                 (scales + storage.bytes_per_matrix + storage.bytes_per_input * matrix.inputs)};
  return bytes;
}

}  // namespace rehearse
