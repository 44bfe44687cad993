// The rows of `rehearse operator --batch FILE.csv`, and the one that `rehearse operator KIND` is
// told.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cost/cost_model.hpp"
#include "input/source_text.hpp"

namespace rehearse {

// What the answer adds to a row.
constexpr std::array<std::string_view, 4> kOperatorAnswerColumns = {"time_s", "bound",
                                                                    "expected_error", "reason"};

// A kernel: its shape, and the bytes that it moves.
struct PricedKernel {
  Work work;
  Bytes bytes;

  OperatorLoad load() const { return {work, 0, Flops{flops_of(work).base}, bytes}; }
};

struct OperatorRow {
  std::string line;  // as written
  SourceLocation where;
  std::optional<Seconds> measured;  // column measured_us
  std::string reason;  // why it cannot be priced; empty: what stands here is there and makes sense
  std::string gpu;     // of the catalogue
  std::string kind;
  std::string dtype;
  double kv_heads = 0;  // attention: of keys and values; 0: none
  // One after the other: a mixture of experts is the four that a plan's layer has.
  std::vector<PricedKernel> kernels;

  // That whose constants it is about: of a mixture a product of its experts. REQUIRES: no reason.
  const PricedKernel& main() const { return kernels.size() > 1 ? kernels[1] : kernels[0]; }
};

struct OperatorBatch {
  std::string names;  // the first line
  std::vector<OperatorRow> rows;
};

// Columns in any order; others are kept and mean nothing. Throws InputError at the file's line
// where it is no table: no column kind or gpu, a column that the answer adds, a row of another
// length.
OperatorBatch read_operator_batch(const SourceText& source);

// The columns that a row may have, and what each is.
struct OperatorColumn {
  const char* name;
  const char* meaning;
};
std::vector<OperatorColumn> operator_columns();
// "gemm moe attention_prefill ..."
std::string names_of_operator_kinds();

}  // namespace rehearse
