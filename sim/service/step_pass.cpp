#include "service/step_pass.hpp"

#include <algorithm>

namespace rehearse {
namespace {

// Alike requests together; decodes as one slice of their mean context, where that is the same.
std::vector<Slice> slices_of(const serving::StepShape& shape, bool limited) {
  std::vector<Slice> slices;
  double decoding = static_cast<double>(shape.executed - shape.tokens);
  double context = decoding;
  for (const serving::Slice& each : shape.slices) {
    const double before = each.context + shape.grown;
    if (!limited && each.tokens == 1 && before > 0) {
      decoding += 1;
      context += before;
    } else {
      const bool verifies = each.drafts > 0 && each.tokens == each.drafts + 1 && before > 0;
      slices.push_back({1, static_cast<double>(each.tokens), before, verifies});
    }
  }
  if (limited && decoding > 0) slices.push_back({decoding, 1, 1});
  if (!limited && decoding > 0) slices.push_back({decoding, 1, context / decoding});
  std::sort(slices.begin(), slices.end());
  std::vector<Slice> merged;
  for (const Slice& slice : slices) {
    if (!merged.empty() && merged.back().query == slice.query &&
        merged.back().context == slice.context && merged.back().verifies == slice.verifies) {
      merged.back().sequences += slice.sequences;
    } else {
      merged.push_back(slice);
    }
  }
  return merged;
}

}  // namespace

StepPass pass_of_step(const serving::StepShape& shape, bool limited) {
  if (shape.tokens > 0 && (!shape.decodes || limited)) return {slices_of(shape, limited)};
  const auto requests = static_cast<double>(shape.executed);
  if (requests == 0) return {{{0, 1, 1}}, true, 0};  // the others' tokens only
  // Requests that pad the batch have a context of 1.
  const double padding = requests - static_cast<double>(shape.tokens);
  return {{{requests, 1, 1}}, true, (static_cast<double>(shape.context) + padding) / requests - 1};
}

double group_tokens(const Model& model, std::span<const serving::StepShape> ranks) {
  if (!model.moe) return 0;
  double tokens = 0;
  for (const serving::StepShape& rank : ranks) tokens += static_cast<double>(rank.executed);
  return tokens;
}

int most_that_begin(std::span<const serving::StepShape> ranks) {
  std::ptrdiff_t most = 0;
  for (const serving::StepShape& rank : ranks) {
    most = std::max(most, std::count_if(rank.slices.begin(), rank.slices.end(),
                                        [](const auto& slice) { return slice.context == 0; }));
  }
  return static_cast<int>(most);
}

}  // namespace rehearse
