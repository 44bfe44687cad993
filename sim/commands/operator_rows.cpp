// A row is a kind and the numbers that the kind needs; each kind is a function from them to the
// kernels that run, with the amounts that a plan's operators of that kind have
// (model/operators.cpp, model/attention). A row that cannot be priced does not stop the others:
// what is wrong with a value is the row's reason.
#include "commands/operator_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/nearest_name.hpp"
#include "base/utf8.hpp"
#include "commands/operator_cells.hpp"
#include "input/csv_table.hpp"

namespace rehearse {
namespace {

using namespace operator_cells;  // NOLINT(google-build-using-namespace)

Bytes weights_of(const Gemm& gemm, const ElementType& type) {
  return Bytes{gemm.groups * gemm.n * gemm.k * (bytes_per_element(type.stored) + type.scale_bytes)};
}

Work product(const Gemm& gemm, const ElementType& type) {
  return {gemm, type.stored, type.computed, type.in_blocks, type.static_scales};
}

PricedKernel moved(double bytes) { return {{Elementwise{}}, Bytes{bytes}}; }

std::vector<PricedKernel> gemm_kernels(const RowReader& reader) {
  const Gemm gemm = {reader.count(kM, kMostTokens), reader.count(kN, kMostTokens),
                     reader.count(kK, kMostTokens)};
  const ElementType& type = reader.type(kDtype);
  const Bytes rows{gemm.m * (gemm.k + gemm.n) * kWide};
  return {{product(gemm, type), weights_of(gemm, type) + rows}};
}

double load_of(const RowReader& reader) {
  const std::string load = reader.text(kLoad);
  if (load.empty() || load == "balanced") return 1;
  return reader.number(kLoad, 1, kMostExperts);
}

// The four kernels of an expert layer. Copies are spread evenly over the experts, and the rank that
// waits for nobody has at least one. Where no dispatch has sorted the tokens by rank (ep above 1),
// the kernels pass over those of other ranks, too: kPassedOver of a row for each. That is assumed:
// set by hand where published times of fused experts lay best, together with the kernels'
// constants.
std::vector<PricedKernel> moe_kernels(const RowReader& reader) {
  constexpr double kPassedOver = 0.83;
  const double tokens = reader.count(kTokens, kMostTokens);
  const double hidden = reader.count(kHidden);
  const double ffn = reader.count(kFfn);
  const double experts = reader.count(kExperts, kMostExperts);
  const double top_k = reader.count(kTopK, kMostExperts);
  const double ep = reader.count_or(kEp, 1);
  if (top_k > experts)
    refuse(fmt::format("top_k = {}: must be at most experts = {}", top_k, experts));
  if (ep > experts) refuse(fmt::format("ep = {}: must be at most experts = {}", ep, experts));
  const ElementType& type = reader.type(kDtype);
  const double matrices = reader.flag(kGated, true) ? 2 : 1;
  const double copies =
      std::min(std::max(tokens * top_k / ep * load_of(reader), 1.0), tokens * top_k);
  const double touched = std::max(std::min(experts / ep, copies), 1.0);
  const double row = hidden * kWide;
  const double others = kPassedOver * (tokens * top_k - copies);
  const Gemm up = {copies, matrices * ffn, hidden, touched, true};
  const Gemm down = {copies, hidden, ffn, touched, true};
  const Bytes between{copies * (hidden + ffn) * kWide};
  return {moved((copies * (1 + 1 / top_k) + others) * row),
          {product(up, type), weights_of(up, type) + between},
          {product(down, type), weights_of(down, type) + between},
          moved(copies * (1 + 1 / top_k) * row)};
}

// One kernel of attention. `query` and `output`: elements that a token brings and takes; `key`:
// elements of a cached token.
struct AttentionBytes {
  double query = 0;
  double key = 0;
  double output = 0;
};

PricedKernel attention(const AttentionScores& scores, const AttentionBytes& elements,
                       const ElementType& cache, const ElementType& type) {
  const double kept = elements.key * bytes_per_element(cache.stored);
  const double bytes = scores.cached.base * kept +
                       scores.tokens * ((elements.query + elements.output) * kWide + kept) +
                       scores.tokens * elements.key * kWide;
  return {{scores, cache.stored, type.computed}, Bytes{bytes}};
}

// Queries of so many tokens a sequence, behind `context` tokens of the cache.
void add_tokens(double sequences, double tokens, double context, bool causal,
                AttentionScores& scores) {
  scores.sequences = sequences;
  scores.tokens = sequences * tokens;
  scores.cached.base = sequences * context;
  const double own = causal ? (tokens + 1) / 2 : tokens;
  scores.pairs.base = scores.tokens * (context + own);
}

std::vector<PricedKernel> grouped_attention(const RowReader& reader, double tokens, double context,
                                            bool causal) {
  AttentionScores scores;
  scores.heads = reader.count(kHeads);
  scores.kv_heads = reader.count_or(kKvHeads, scores.heads);
  if (std::fmod(scores.heads, scores.kv_heads) != 0) {
    refuse(fmt::format("kv_heads = {}: must divide heads = {}", scores.kv_heads, scores.heads));
  }
  const double dimensions = reader.count(kHeadDim);
  scores.key_dimensions = scores.value_dimensions = dimensions;
  add_tokens(reader.count(kBatch), tokens, context, causal, scores);
  const ElementType& type = reader.type(kDtype);
  const double columns = scores.heads * dimensions;
  return {attention(scores, {columns, 2 * scores.kv_heads * dimensions, columns},
                    reader.type_or(kKvDtype, type), type)};
}

std::vector<PricedKernel> prefill_kernels(const RowReader& reader) {
  const double context =
      reader.text(kContext).empty() ? 0 : reader.number(kContext, 0, kMostTokens);
  return grouped_attention(reader, reader.count(kTokens, kMostTokens), context,
                           reader.flag(kCausal, true));
}

// `context` counts the token itself.
std::vector<PricedKernel> decode_kernels(const RowReader& reader) {
  return grouped_attention(reader, 1, reader.count(kContext, kMostTokens) - 1, true);
}

// DeepSeek-V2's dimensions (arXiv:2405.04434, 2.1): 128 + 64 of a key, 128 of a value, a latent of
// 512 + 64.
constexpr double kLatent = 512;
constexpr double kRotated = 64;
constexpr double kExpanded = 128;

std::vector<PricedKernel> mla_prefill_kernels(const RowReader& reader) {
  AttentionScores scores;
  scores.heads = scores.kv_heads = reader.count(kHeads);
  scores.key_dimensions = kExpanded + kRotated;
  scores.value_dimensions = kExpanded;
  scores.latent = true;
  add_tokens(reader.count(kBatch), reader.count(kTokens, kMostTokens), 0,
             reader.flag(kCausal, true), scores);
  const ElementType& type = reader.type(kDtype);
  const double keys = scores.heads * (scores.key_dimensions + scores.value_dimensions);
  return {attention(scores,
                    {scores.heads * scores.key_dimensions + keys - kLatent - kRotated,
                     kLatent + kRotated, scores.heads * scores.value_dimensions},
                    reader.type_or(kKvDtype, type), type)};
}

std::vector<PricedKernel> mla_decode_kernels(const RowReader& reader) {
  AttentionScores scores;
  scores.heads = reader.count(kHeads);
  scores.kv_heads = 1;
  scores.key_dimensions = kLatent + kRotated;
  scores.value_dimensions = kLatent;
  scores.latent = true;
  add_tokens(reader.count(kBatch), 1, reader.count(kContext, kMostTokens) - 1, true, scores);
  const ElementType& type = reader.type(kDtype);
  return {attention(scores,
                    {scores.heads * scores.key_dimensions, scores.key_dimensions,
                     scores.heads * scores.value_dimensions},
                    reader.type_or(kKvDtype, type), type)};
}

std::vector<PricedKernel> elementwise_kernels(const RowReader& reader) {
  constexpr double kMost = 1125899906842624;  // a PiB
  return {moved(reader.number(kBytes, 1, kMost))};
}

// Logits of 16 bits.
std::vector<PricedKernel> sampling_kernels(const RowReader& reader) {
  std::vector<PricedKernel> kernels = elementwise_kernels(reader);
  kernels.front().work.shape = Elementwise{true};
  return kernels;
}

struct Kind {
  const char* name;
  std::vector<PricedKernel> (*kernels)(const RowReader& reader);
};
constexpr Kind kKinds[] = {{"gemm", gemm_kernels},
                           {"moe", moe_kernels},
                           {"attention_prefill", prefill_kernels},
                           {"attention_decode", decode_kernels},
                           {"mla_prefill", mla_prefill_kernels},
                           {"mla_decode", mla_decode_kernels},
                           {"elementwise", elementwise_kernels},
                           {"sampling", sampling_kernels}};

const Kind& kind_named(const std::string& name) {
  std::vector<std::string> known;
  for (const Kind& each : kKinds) {
    if (each.name == name) return each;
    known.emplace_back(each.name);
  }
  refuse(
      fmt::format("unknown kind \"{}\": {}", shortened(name), suggestion(shortened(name), known)));
}

OperatorRow row_of(const CsvTable& table) {
  OperatorRow row;
  row.line = written_line(table);
  row.where = table.where();
  const RowReader reader(table);
  try {
    constexpr double kMicrosecond = 1e-6;
    if (!reader.text(kMeasuredUs).empty()) {
      row.measured = Seconds{reader.number(kMeasuredUs, 1e-3, 1e9) * kMicrosecond};
    }
    const Kind& kind = kind_named(reader.needed_text(kKind));
    row.kind = kind.name;
    row.gpu = reader.needed_text(kGpu);
    row.dtype = reader.text(kDtype);
    row.kernels = kind.kernels(reader);
    const auto* const scores = std::get_if<AttentionScores>(&row.kernels.front().work.shape);
    if (scores != nullptr && !scores->latent) row.kv_heads = scores->kv_heads;
  } catch (const std::invalid_argument& error) {
    row.reason = error.what();
  }
  return row;
}

}  // namespace

OperatorBatch read_operator_batch(const SourceText& source) {
  CsvTable table(source, kNames, OtherColumns::kPassedOver);
  OperatorBatch batch;
  bool more = false;
  batch.names = open_batch(table, source.path, kOperatorAnswerColumns, more);
  for (; more; more = table.next()) batch.rows.push_back(row_of(table));
  return batch;
}

std::vector<OperatorColumn> operator_columns() {
  std::vector<OperatorColumn> columns;
  columns.reserve(kColumns);
  for (int at = 0; at < kColumns; ++at) columns.push_back({kNames[at].name, kMeanings[at]});
  return columns;
}

std::string names_of_operator_kinds() {
  std::string names;
  for (const Kind& each : kKinds) names += (names.empty() ? "" : " ") + std::string(each.name);
  return names;
}

}  // namespace rehearse
