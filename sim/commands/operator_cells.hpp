// The cells of a row of `rehearse operator --batch FILE.csv`, as values.
#pragma once

#include <fmt/format.h>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "base/nearest_name.hpp"
#include "base/utf8.hpp"
#include "commands/batch_table.hpp"
#include "model/storage.hpp"

namespace rehearse::operator_cells {

enum Column : int {
  kKind,
  kGpu,
  kDtype,
  kKvDtype,
  kM,
  kN,
  kK,
  kTokens,
  kHidden,
  kFfn,
  kExperts,
  kTopK,
  kEp,
  kGated,
  kLoad,
  kBatch,
  kContext,
  kHeads,
  kKvHeads,
  kHeadDim,
  kCausal,
  kBytes,
  kMeasuredUs,
  kColumns
};

inline constexpr std::array<CsvColumn, kColumns> kNames = {
    {{"kind"},           {"gpu"},          {"dtype", false},      {"kv_dtype", false},
     {"m", false},       {"n", false},     {"k", false},          {"tokens", false},
     {"hidden", false},  {"ffn", false},   {"experts", false},    {"top_k", false},
     {"ep", false},      {"gated", false}, {"load", false},       {"batch", false},
     {"context", false}, {"heads", false}, {"kv_heads", false},   {"head_dim", false},
     {"causal", false},  {"bytes", false}, {"measured_us", false}}};

inline constexpr const char* kMeanings[kColumns] = {
    "gemm, moe, attention_prefill, ...",
    "its name in `rehearse gpus`",
    "what is multiplied: bf16 fp16 fp8 fp8_static fp8_block int8 int4 nvfp4 mxfp4 mxfp4_fp8",
    "of the cache (default: dtype)",
    "gemm: rows",
    "gemm: columns of the result",
    "gemm: columns of the rows",
    "moe: of all ep ranks together; attention: queries of a sequence",
    "moe: width of a token",
    "moe: columns of an expert on this GPU",
    "moe: of all ranks",
    "moe: experts of a token",
    "moe: ranks that share the experts (default: 1)",
    "moe: a gate beside the first matrix (default: true)",
    "moe: copies of the busiest rank over the mean (default: balanced, 1)",
    "attention: sequences",
    "attention: tokens of a sequence that are read from the cache",
    "attention: of queries, on this GPU",
    "attention: of keys and values (default: heads)",
    "attention: dimensions of a head",
    "attention: queries see what is before them (default: true)",
    "elementwise: read and written; sampling: of the logits, in 16 bits",
    "what was measured, for rehearse calibrate",
};

// How weights and activations of a type are stored and multiplied.
struct ElementType {
  std::string_view name;
  Dtype stored;
  Dtype computed;
  bool in_blocks;
  double scale_bytes;  // for an element of the weights
  bool static_scales = false;
};
inline constexpr ElementType kTypes[] = {
    {"bf16", Dtype::kBf16, Dtype::kBf16, false, 0},
    {"fp16", Dtype::kFp16, Dtype::kFp16, false, 0},
    {"fp8", Dtype::kFp8, Dtype::kFp8, false, 0},
    {"fp8_static", Dtype::kFp8, Dtype::kFp8, false, 0, true},
    {"fp8_block", Dtype::kFp8, Dtype::kFp8, true, 4.0 / (128 * 128)},
    {"int8", Dtype::kInt8, Dtype::kInt8, false, 0},
    {"int4", Dtype::kInt4, Dtype::kBf16, true, 2.0 / 128},
    {"nvfp4", Dtype::kFp4, Dtype::kFp4, true, 1.0 / 16},
    {"mxfp4", Dtype::kFp4, Dtype::kBf16, true, 1.0 / 32},
    {"mxfp4_fp8", Dtype::kFp4, Dtype::kFp8, true, 1.0 / 32},
};

inline constexpr double kWide = 2;  // bytes of an activation between kernels

[[noreturn]] inline void refuse(const std::string& reason) { throw std::invalid_argument(reason); }

class RowReader : public BatchCells {
 public:
  explicit RowReader(const CsvTable& table) : BatchCells(table, kNames) {}

  double count(Column column, double most = kLargestWidth) const {
    return BatchCells::count(column, 1, most);
  }
  double count_or(Column column, double otherwise) const {
    return given(column) ? count(column) : otherwise;
  }
  const ElementType& type(Column column) const { return type_named(column, needed_text(column)); }
  const ElementType& type_or(Column column, const ElementType& otherwise) const {
    return given(column) ? type(column) : otherwise;
  }

 private:
  const ElementType& type_named(Column column, const std::string& given) const {
    std::vector<std::string> known;
    for (const ElementType& each : kTypes) {
      if (each.name == given) return each;
      known.emplace_back(each.name);
    }
    refuse(fmt::format("{} = \"{}\": {}", name(column), shortened(given),
                       suggestion(shortened(given), known)));
  }
};

}  // namespace rehearse::operator_cells
