#include "html/timeline_slices.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace rehearse {
SliceStore::SliceStore(std::size_t tracks, std::size_t most)
    : tracks_(tracks), last_(tracks), most_(most) {
  SIM_CHECK(most >= 4 * tracks, "fewer slices than tracks need");
  for (TimelineSlice& each : last_) each.spans = 0;
}

void SliceStore::add_new(std::size_t track, const TimelineSlice& slice) {
  TimelineSlice& last = last_[track];
  if (last.spans > 0) append(tracks_[track], last);
  last = slice;
  if (++size_ > most_) coarsen();
}

void SliceStore::finish() {
  for (std::size_t track = 0; track < tracks_.size(); ++track) {
    if (last_[track].spans > 0) append(tracks_[track], last_[track]);
  }
}

std::vector<TimelineSlice> SliceStore::track(std::size_t index) const {
  const Track& track = tracks_[index];
  std::vector<TimelineSlice> slices;
  slices.reserve(track.size);
  for (std::size_t i = 0; i < track.size; ++i) slices.push_back(at(track, i));
  return slices;
}

void SliceStore::append(Track& track, const TimelineSlice& slice) {
  if (track.size == track.chunks.size() * kChunk) {
    if (spare_.empty()) {
      spare_.push_back(&chunks_.emplace_back());
    }
    track.chunks.push_back(spare_.back());
    spare_.pop_back();
  }
  at(track, track.size++) = slice;
}

void SliceStore::shrink(Track& track, std::size_t size) {
  track.size = size;
  for (; track.chunks.size() * kChunk >= size + kChunk; track.chunks.pop_back()) {
    spare_.push_back(track.chunks.back());
  }
}

void SliceStore::join_neighbours(Track& track) {
  if (track.size == 0) return;
  std::size_t last = 0;
  for (std::size_t next = 1; next < track.size; ++next) {
    if (!join(at(track, last), at(track, next))) at(track, ++last) = at(track, next);
  }
  shrink(track, last + 1);
}

// To half of the most, so that merging costs a constant per span on the average. The first
// resolution is one at which no track can hold more than 16 times its share.
void SliceStore::coarsen() {
  if (resolution_ == 0) {
    const double share = static_cast<double>(most_) / static_cast<double>(tracks_.size());
    resolution_ = std::max(latest_ / share / 16, 1e-12);
  }
  finish();
  while (size_ > most_ / 2) {
    resolution_ *= 2;
    per_second_ = 1 / resolution_;
    size_ = 0;
    for (Track& track : tracks_) {
      join_neighbours(track);
      size_ += track.size;
    }
  }
  for (std::size_t track = 0; track < tracks_.size(); ++track) {
    Track& slices = tracks_[track];
    if (slices.size == 0) continue;
    last_[track] = at(slices, slices.size - 1);
    shrink(slices, slices.size - 1);
  }
}

}  // namespace rehearse
