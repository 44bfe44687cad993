#include "serving/step.hpp"

#include <algorithm>

namespace rehearse::serving {

StepShape shape_of(const Batch& batch) {
  StepShape shape;
  shape.slices = batch;
  shape.decodes = !batch.empty();
  for (const Slice& slice : batch) {
    shape.tokens += slice.tokens;
    shape.context += slice.context;
    shape.decodes = shape.decodes && slice.tokens == 1 && slice.context > 0;
  }
  shape.executed = shape.tokens;
  return shape;
}

int padded(const GraphSizes& sizes, std::int64_t tokens) {
  const auto next = std::lower_bound(sizes.begin(), sizes.end(), tokens);
  return next == sizes.end() ? 0 : *next;
}

GraphSizes vllm_graph_sizes(int max_sequences, int max_tokens, int drafts) {
  constexpr int kMost = 512;
  const std::int64_t decode = 2LL * max_sequences * (1 + drafts);
  const int largest = static_cast<int>(std::min<std::int64_t>({decode, kMost, max_tokens}));
  GraphSizes sizes;
  const auto add = [&](int size) {
    const int unit = 1 + drafts;
    const int whole = (size + unit - 1) / unit * unit;
    if (whole <= largest && (sizes.empty() || sizes.back() < whole)) sizes.push_back(whole);
  };
  for (const int size : {1, 2, 4}) add(size);
  for (int size = 8; size < 256; size += 8) add(size);
  for (int size = 256; size <= largest; size += 16) add(size);
  return sizes;
}

void pad(std::span<StepShape> ranks, const GraphSizes& sizes) {
  if (sizes.empty()) return;
  std::int64_t most = 0;
  for (const StepShape& rank : ranks) most = std::max(most, rank.tokens);
  const int size = most > 0 ? padded(sizes, most) : 0;
  if (size == 0) return;
  for (StepShape& rank : ranks) {
    rank.executed = size;
    rank.graph = true;
  }
}

}  // namespace rehearse::serving
