// The rows of `rehearse collective --batch FILE.csv`.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "collectives/library.hpp"
#include "input/source_text.hpp"

namespace rehearse {

// What the answer adds to a row.
constexpr std::array<std::string_view, 4> kAnswerColumns = {"time_s", "busbw_GBs", "expected_error",
                                                            "reason"};

// One collective on an idle cluster of its own.
struct CollectiveBatchRow {
  std::string line;    // as written
  std::string reason;  // why it cannot be priced; empty: what stands here is there and makes sense
  CollectiveOp op = CollectiveOp::kAllReduce;
  std::string gpu;       // of the catalogue; or empty, and
  std::string platform;  // a file's path
  int ranks = 2;
  std::optional<int> ranks_per_node;  // GPUs of a scale-up domain that take part
  std::optional<int> nics_per_node;   // absent: the device's
  std::optional<double> nic_gbps;     // of one NIC, bits
  Bytes size;                         // as CollectiveRequest::sizes
  FanOut fan_out;
  CollectiveUse use;
};

struct CollectiveBatch {
  std::string names;  // the first line
  std::vector<CollectiveBatchRow> rows;
};

// Columns in any order; others are kept and mean nothing. `library`: of every row, whatever its own
// says. Throws InputError at the file's line where it is no table: no column op, none of gpu and
// platform, a column that the answer adds, a row of another length.
CollectiveBatch read_collective_batch(const SourceText& source,
                                      const std::optional<std::string>& library);

// Bytes of a token's row that is sent to an expert, or comes back from it.
Bytes row_bytes(const std::string& dtype, int hidden, int top_k, bool back,
                const std::string& library);

}  // namespace rehearse
