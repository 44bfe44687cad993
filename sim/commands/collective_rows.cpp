// A row that cannot be priced does not stop the others: what is wrong with a value is the row's
// reason. Only what makes the file no table ends the command.
#include "commands/collective_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/nearest_name.hpp"
#include "base/utf8.hpp"
#include "commands/batch_table.hpp"

namespace rehearse {
namespace {

enum Column : int {
  kOp,
  kGpu,
  kPlatform,
  kRanks,
  kRanksPerNode,
  kNicsPerNode,
  kNicGbps,
  kBytes,
  kDtype,
  kLibrary,
  kLaunchUs,
  kTokens,
  kHidden,
  kExperts,
  kTopK,
  kColumns
};

constexpr std::array<CsvColumn, kColumns> kNames = {{{"op"},
                                                     {"gpu", false},
                                                     {"platform", false},
                                                     {"ranks", false},
                                                     {"ranks_per_node", false},
                                                     {"nics_per_node", false},
                                                     {"nic_gbps", false},
                                                     {"bytes", false},
                                                     {"dtype", false},
                                                     {"library", false},
                                                     {"launch_us", false},
                                                     {"tokens", false},
                                                     {"hidden", false},
                                                     {"experts", false},
                                                     {"top_k", false}}};

// An element, and the scale that a block of them has; of fp8 as DeepEP and the engines send it.
struct ElementSize {
  std::string_view name;
  double bytes;
  double scale_bytes;  // per element
};
constexpr ElementSize kElements[] = {
    {"fp32", 4, 0},           {"int32", 4, 0},         {"bf16", 2, 0},
    {"fp16", 2, 0},           {"fp8", 1, 4.0 / 128},   {"fp8_block", 1, 4.0 / 128},
    {"mxfp8", 1, 1.0 / 32},   {"int8", 1, 0},          {"int4", 0.5, 0},
    {"nvfp4", 0.5, 1.0 / 16}, {"mxfp4", 0.5, 1.0 / 32}};

const ElementSize& element_of(const std::string& dtype) {
  std::string known;
  for (const ElementSize& each : kElements) {
    if (each.name == dtype) return each;
    known += fmt::format(" {}", each.name);
  }
  throw std::invalid_argument(
      fmt::format("dtype = \"{}\": {}", shortened(dtype), name_rule(dtype, known)));
}

void take_machine(const BatchCells& reader, CollectiveBatchRow& row) {
  row.gpu = reader.text(kGpu);
  row.platform = reader.text(kPlatform);
  if (row.gpu.empty() == row.platform.empty()) {
    throw std::invalid_argument(row.gpu.empty() ? "gpu is empty, and there is no platform"
                                                : "gpu and platform: a row has one of them");
  }
  row.ranks = static_cast<int>(reader.count(kRanks, 2, kMostGpus));
  if (reader.given(kRanksPerNode)) {
    row.ranks_per_node = static_cast<int>(reader.count(kRanksPerNode, 1, kMostGpus));
  }
  if (reader.given(kNicsPerNode))
    row.nics_per_node = static_cast<int>(reader.count(kNicsPerNode, 1, 1024));
  if (reader.given(kNicGbps)) row.nic_gbps = reader.number(kNicGbps, 1e-3, 1e6);
  if (!row.platform.empty() && (row.nics_per_node || row.nic_gbps)) {
    throw std::invalid_argument("nics_per_node and nic_gbps are the platform file's");
  }
}

void take_use(const BatchCells& reader, const std::string& name, CollectiveBatchRow& row) {
  row.use.by_call = true;
  if (!name.empty()) row.use.library = &known_library(name);
  if (!reader.given(kLaunchUs)) return;
  constexpr double kMicrosecond = 1e-6;
  row.use.launch = Seconds{reader.number(kLaunchUs, 0, 1e6) * kMicrosecond};
}

// A GPU's tokens, each as many rows as it has experts, spread evenly over all experts.
void take_tokens(const BatchCells& reader, bool back, const std::string& library,
                 CollectiveBatchRow& row) {
  row.op = CollectiveOp::kAllToAll;
  const int tokens = static_cast<int>(reader.count(kTokens, 1, kMostTokens));
  const int hidden = static_cast<int>(reader.count(kHidden, 1, kLargestWidth));
  row.fan_out.back = back;
  row.fan_out.experts = static_cast<int>(reader.count(kExperts, 1, kMostExperts));
  row.fan_out.experts_per_token = static_cast<int>(reader.count(kTopK, 1, row.fan_out.experts));
  row.size =
      row_bytes(reader.needed_text(kDtype), hidden, row.fan_out.experts_per_token, back, library) *
      (static_cast<double>(tokens) * row.fan_out.experts_per_token);
}

void take_bytes(const BatchCells& reader, CollectiveBatchRow& row) {
  constexpr double kMost = 1125899906842624;  // a PiB
  if (reader.given(kDtype)) element_of(reader.text(kDtype));
  if (row.op == CollectiveOp::kBarrier) {
    if (reader.given(kBytes)) throw std::invalid_argument("bytes: a barrier carries none");
    return;
  }
  row.size = Bytes{reader.number(kBytes, 1, kMost)};
}

void take_operation(const BatchCells& reader, const std::string& library, CollectiveBatchRow& row) {
  const std::string name = reader.needed_text(kOp);
  const bool dispatch = name == "moe_dispatch";
  if (dispatch || name == "moe_combine") return take_tokens(reader, !dispatch, library, row);
  const std::optional<CollectiveOp> op = collective_op_named(name);
  if (!op) {
    throw std::invalid_argument(
        fmt::format("unknown operation \"{}\": {}", shortened(name),
                    name_rule(name, names_of_collective_ops() + " moe_dispatch moe_combine")));
  }
  row.op = *op;
  take_bytes(reader, row);
}

CollectiveBatchRow row_of(const CsvTable& table, const std::optional<std::string>& library) {
  CollectiveBatchRow row;
  row.line = written_line(table);
  const BatchCells reader(table, kNames);
  try {
    const std::string name = library.value_or(reader.text(kLibrary));
    take_use(reader, name, row);
    take_operation(reader, name, row);
    take_machine(reader, row);
  } catch (const std::invalid_argument& error) {
    row.reason = error.what();
  }
  return row;
}

}  // namespace

// Dispatch and combine as collectives.md 8.2 has them from the sources: DeepEP's normal kernels
// send a row with the index of its source (8 B) and the experts and weights of its token (8 and 4 B
// each), its low-latency ones with 16 B (csrc/kernels/internode.cu and internode_ll.cu); what comes
// back has values alone.
Bytes row_bytes(const std::string& dtype, int hidden, int top_k, bool back,
                const std::string& library) {
  const ElementSize& element = element_of(dtype);
  Bytes bytes{hidden * (element.bytes + element.scale_bytes)};
  if (back) return bytes;
  if (library == "deepep_normal") bytes += Bytes{8.0 + top_k * (8 + 4)};
  if (library == "deepep_low_latency") bytes += Bytes{16};
  return bytes;
}

CollectiveBatch read_collective_batch(const SourceText& source,
                                      const std::optional<std::string>& library) {
  CsvTable table(source, kNames, OtherColumns::kPassedOver);
  CollectiveBatch batch;
  bool more = false;
  batch.names = open_batch(table, source.path, kAnswerColumns, more);
  if (!table.has(kGpu) && !table.has(kPlatform)) {
    throw InputError(table.names().front().where,
                     "column gpu is missing, and so is platform: a row has one of them");
  }
  for (; more; more = table.next()) batch.rows.push_back(row_of(table, library));
  return batch;
}

}  // namespace rehearse
