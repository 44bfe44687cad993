// Which keys a query sees, counted in closed form: what a mask makes of a slice.
#pragma once

#include "model/slice.hpp"
#include "model/work.hpp"

namespace rehearse {

// A query at position p (counted from 0) sees
// - all: p + 1 keys;
// - of a window w: min(p + 1, w);
// - of a chunk C: p mod C + 1;
// - of entries that stand for `ratio` tokens each: floor((p + 1) / ratio), at most `most` of them.
struct KeysSeen {
  enum class Kind { kAll, kWindow, kChunk, kEntries };
  Kind kind = Kind::kAll;
  double size = 0;  // of the window or chunk; of entries: their ratio
  double most = 0;  // entries; 0: no limit

  static KeysSeen all() { return {}; }
  static KeysSeen window(double size) { return {Kind::kWindow, size}; }
  static KeysSeen chunk(double size) { return {Kind::kChunk, size}; }
  static KeysSeen entries(double ratio, double most) { return {Kind::kEntries, ratio, most}; }

  // By the queries at positions below `end`, together.
  double before(double end) const;
  double at(double position) const { return before(position + 1) - before(position); }
  // (query, key) pairs of a slice.
  double pairs(const Slice& slice) const;
  // Earlier keys that a slice's pass reads from the cache: as many as its first query sees beside
  // itself.
  double cached(const Slice& slice) const;

  // The same in the `steps` of a pass that grows, as an amount that is linear in the step. It is
  // exact in each step where the mask is straight over the run (it sees a key more in each, or as
  // many in all). Where the run crosses the end of a window or a chunk, each step has the mean of
  // the run, and of entries a line through that: the sum over the run is exact.
  Amount pairs(const Slice& slice, bool grows, const StepRange& steps) const;
  Amount cached(const Slice& slice, bool grows, const StepRange& steps) const;

 private:
  bool bends(double context, double steps) const;
  double growth(double context) const;  // of what one query sees, from a step to the next
  Amount over_run(const Slice& slice, const StepRange& steps, double less) const;
};

}  // namespace rehearse
