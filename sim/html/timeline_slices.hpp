// The spans of a timeline at the finest resolution that a bounded number of slices allows. Long
// spans stay as they are; of short ones, those of a track that start in the same interval of
// `resolution` become one slice, which keeps their time and says which of them was the longest.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/units.hpp"

namespace rehearse {

struct TimelineSlice {
  double start = 0;  // seconds
  double end = 0;
  float busy = 0;     // the spans' seconds: less than end - start where there are gaps
  float longest = 0;  // of these spans, in seconds; its operator, layer, pass and step are the
                      // slice's
  float amount = 0;   // the spans' sum: FLOPs of compute, bytes of communication
  float wait = 0;     // the spans' sum: seconds for which the rank waited for others
  std::uint32_t spans = 1;
  std::int32_t micro_batch = -1;  // -1: outside of passes
  std::int32_t step = 0;
  std::int16_t layer = -1;
  std::uint16_t operator_index = 0;  // in RunRecorder::operators
};

class SliceStore {
 public:
  // REQUIRES: most >= 4 * tracks.
  SliceStore(std::size_t tracks, std::size_t most);

  // REQUIRES: the slices of one track come in the order of their starts.
  void add(std::size_t track, const TimelineSlice& slice) {
    latest_ = std::max(latest_, slice.start);
    if (resolution_ > 0 && last_[track].spans > 0 && join(last_[track], slice)) return;
    add_new(track, slice);
  }
  // Puts the last slice of each track to the others. REQUIRES: nothing is added after it.
  void finish();

  // After finish().
  std::size_t tracks() const { return tracks_.size(); }
  std::vector<TimelineSlice> track(std::size_t index) const;
  std::size_t size() const { return size_; }
  // Slices at least this long are single spans or the merger of two neighbours; 0: nothing was
  // merged.
  Seconds resolution() const { return {resolution_}; }

 private:
  // Slices of one track: tracks grow and shrink by chunks, so that none is ever copied elsewhere.
  static constexpr std::size_t kChunk = 16;
  using Chunk = std::array<TimelineSlice, kChunk>;
  struct Track {
    std::vector<Chunk*> chunks;
    std::size_t size = 0;
  };

  bool join(TimelineSlice& last, const TimelineSlice& next) const;
  void add_new(std::size_t track, const TimelineSlice& slice);
  static TimelineSlice& at(const Track& track, std::size_t index) {
    return (*track.chunks[index / kChunk])[index % kChunk];
  }
  void append(Track& track, const TimelineSlice& slice);
  void shrink(Track& track, std::size_t size);
  void join_neighbours(Track& track);
  void coarsen();

  std::vector<Track> tracks_;
  std::deque<Chunk> chunks_;   // of all tracks; they stay where they are
  std::vector<Chunk*> spare_;  // of these
  // The last slice of each track, which the next may join (spans is 0: none): side by side, because
  // that of another track is wanted next.
  std::vector<TimelineSlice> last_;
  std::size_t most_;
  std::size_t size_ = 0;
  double resolution_ = 0;
  double per_second_ = 0;  // 1 / resolution_
  double latest_ = 0;      // start of a slice
};

inline bool SliceStore::join(TimelineSlice& last, const TimelineSlice& next) const {
  if (last.end - last.start >= resolution_ || next.end - next.start >= resolution_) return false;
  const auto interval = [this](double time) {
    return static_cast<std::int64_t>(time * per_second_);
  };
  if (interval(last.start) != interval(next.start)) return false;
  last.end = std::max(last.end, next.end);
  last.busy += next.busy;
  last.amount += next.amount;
  last.wait += next.wait;
  last.spans += next.spans;
  if (next.longest <= last.longest) return true;
  last.longest = next.longest;
  last.micro_batch = next.micro_batch;
  last.step = next.step;
  last.layer = next.layer;
  last.operator_index = next.operator_index;
  return true;
}

}  // namespace rehearse
