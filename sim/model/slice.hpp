// What a pass is about: slices of alike sequences, from which amounts follow.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

namespace rehearse {

// `sequences` alike ones: each brings `query` new tokens behind `context` earlier ones.
struct Slice {
  double sequences = 0;
  double query = 0;
  double context = 0;
  // Drafts behind a token, which kernels for decodes verify together, each scored.
  bool verifies = false;

  double tokens() const { return sequences * query; }
  // Causal and full: token q of the query, counted from 1, attends to context + q tokens.
  double pairs() const { return tokens() * context + tokens() * (query + 1) / 2; }

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a comparison with a literal 0
  auto operator<=>(const Slice&) const = default;
};

// Repetitions of a pass, each behind contexts a token longer: `first` of them are behind it,
// `count` are in it. The slices' contexts are those of the repetition 0.
struct StepRange {
  int first = 0;
  int count = 1;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a comparison with a literal 0
  auto operator<=>(const StepRange&) const = default;
};
// Of requests that get so many tokens, the first of them from prefill; one where there is none.
inline StepRange decode_steps(int output_tokens) { return {0, std::max(1, output_tokens - 1)}; }

inline double tokens_of(std::span<const Slice> slices) {
  double tokens = 0;
  for (const Slice& slice : slices) tokens += slice.tokens();
  return tokens;
}
inline double sequences_of(std::span<const Slice> slices) {
  double sequences = 0;
  for (const Slice& slice : slices) sequences += slice.sequences;
  return sequences;
}
// Of each sequence the last token, of one that verifies drafts all.
inline double scored_of(std::span<const Slice> slices) {
  double scored = 0;
  for (const Slice& slice : slices) scored += slice.verifies ? slice.tokens() : slice.sequences;
  return scored;
}
// The sequences go on by one token, or by what is accepted of their drafts.
inline bool decodes(const Slice& slice) {
  return slice.verifies || (slice.query == 1 && slice.context > 0);
}
inline bool decodes(std::span<const Slice> slices) {
  return !slices.empty() &&
         std::all_of(slices.begin(), slices.end(), [](const Slice& each) { return decodes(each); });
}
// What follows when each sequence has got the next token.
inline std::vector<Slice> next_tokens(std::span<const Slice> slices) {
  std::vector<Slice> next;
  next.reserve(slices.size());
  for (const Slice& slice : slices) {
    next.push_back({slice.sequences, 1, slice.context + slice.query});
  }
  return next;
}

}  // namespace rehearse
