#include "html/slices.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace rehearse {
SliceStore::SliceStore(std::size_t tracks, std::size_t most)
    : tracks_(tracks), last_(tracks), most_(most) {
  SIM_CHECK(most >= 4 * tracks, "fewer slices than tracks need");
  for (Slice& each : last_) each.spans = 0;
}

void SliceStore::add(std::size_t track, const Slice& slice) {
  Slice& last = last_[track];
  latest_ = std::max(latest_, slice.start);
  if (last.spans > 0) {
    if (resolution_ > 0 && join(last, slice)) return;
    tracks_[track].push_back(last);
  }
  last = slice;
  if (++size_ > most_) coarsen();
}

void SliceStore::finish() {
  for (std::size_t track = 0; track < tracks_.size(); ++track) {
    if (last_[track].spans > 0) tracks_[track].push_back(last_[track]);
  }
}

bool SliceStore::join(Slice& last, const Slice& next) const {
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
    for (std::vector<Slice>& slices : tracks_) {
      if (slices.empty()) continue;
      auto last = slices.begin();
      for (auto next = last + 1; next != slices.end(); ++next) {
        if (!join(*last, *next)) *++last = *next;
      }
      slices.erase(last + 1, slices.end());
      size_ += slices.size();
    }
  }
  for (std::size_t track = 0; track < tracks_.size(); ++track) {
    if (tracks_[track].empty()) continue;
    last_[track] = tracks_[track].back();
    tracks_[track].pop_back();
  }
}

}  // namespace rehearse
