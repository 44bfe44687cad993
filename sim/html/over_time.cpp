#include "html/over_time.hpp"

#include <algorithm>
#include <numeric>

#include "base/error.hpp"

namespace rehearse {
namespace {

// Shorter than any operator; doubled until the run fits.
constexpr double kFirstWidth = 1e-6;

float sum(const MemoryOverTime::Levels& levels) {
  return std::accumulate(levels.begin(), levels.end(), 0.0F);
}

}  // namespace

SumsOverTime::SumsOverTime(std::size_t rows, std::size_t intervals)
    : rows_(rows, std::vector<double>(intervals, 0.0)), intervals_(intervals), width_(kFirstWidth) {
  SIM_CHECK(intervals >= 2 && intervals % 2 == 0, "intervals are merged in pairs");
}

void SumsOverTime::reach(double end) {
  while (end > width_ * static_cast<double>(intervals_)) {
    for (std::vector<double>& row : rows_) {
      for (std::size_t i = 0; i < intervals_; i += 2) row[i / 2] = row[i] + row[i + 1];
      std::fill(row.begin() + static_cast<std::ptrdiff_t>(intervals_ / 2), row.end(), 0.0);
    }
    width_ *= 2;
  }
}

void SumsOverTime::add(std::size_t row, Seconds start, Seconds end, double amount) {
  if (end.value > width_ * static_cast<double>(intervals_)) reach(end.value);
  std::vector<double>& sums = rows_[row];
  const auto interval = [this](double time) {
    return std::min(static_cast<std::size_t>(time / width_), intervals_ - 1);
  };
  const std::size_t first = interval(start.value);
  const std::size_t last = interval(end.value);
  if (first == last) {
    sums[first] += amount;
    return;
  }
  const double rate = amount / (end - start).value;
  sums[first] += rate * (static_cast<double>(first + 1) * width_ - start.value);
  for (std::size_t i = first + 1; i < last; ++i) sums[i] += rate * width_;
  sums[last] += rate * (end.value - static_cast<double>(last) * width_);
}

void SumsOverTime::scale(double factor) {
  for (std::vector<double>& row : rows_) {
    for (double& sum : row) sum *= factor;
  }
}

MemoryOverTime::MemoryOverTime(std::size_t ranks, std::size_t intervals)
    : ranks_(ranks), intervals_(intervals), width_(kFirstWidth) {
  SIM_CHECK(intervals >= 2 && intervals % 2 == 0, "intervals are merged in pairs");
}

// Each interval of a pair holds its own highest sum; the pair's is the higher of the two.
void MemoryOverTime::reach(double time) {
  while (time >= width_ * static_cast<double>(intervals_)) {
    for (Track& track : ranks_) {
      std::vector<Levels>& peaks = track.peaks;
      const std::size_t pairs = (peaks.size() + 1) / 2;
      for (std::size_t i = 0; i < pairs; ++i) {
        const Levels& left = peaks[2 * i];
        const Levels& right = 2 * i + 1 < peaks.size() ? peaks[2 * i + 1] : left;
        const Levels higher = sum(right) > sum(left) ? right : left;
        peaks[i] = higher;
      }
      peaks.resize(pairs);
      if (pairs == 0) continue;
      const Levels& present = peaks.back();
      if (sum(present) > static_cast<float>(track.highest)) {
        std::copy(present.begin(), present.end(), track.at_highest.begin());
        track.highest = std::accumulate(track.at_highest.begin(), track.at_highest.end(), 0.0);
      }
    }
    width_ *= 2;
  }
}

// Memory stays at its last levels until the interval begins.
void MemoryOverTime::advance(Track& track, std::size_t interval) const {
  if (track.peaks.size() > interval) return;
  Levels now;
  std::copy(track.now.begin(), track.now.end(), now.begin());
  track.peaks.resize(interval + 1, now);
  track.at_highest = track.now;
  track.highest = std::accumulate(track.now.begin(), track.now.end(), 0.0);
}

void MemoryOverTime::add(std::size_t rank, const MemoryLevel& level) {
  reach(level.time.value);
  Track& track = ranks_[rank];
  advance(track, static_cast<std::size_t>(level.time.value / width_));
  track.now[static_cast<int>(level.category)] = level.bytes.value;
  const double total = std::accumulate(track.now.begin(), track.now.end(), 0.0);
  if (total <= track.highest) return;
  track.highest = total;
  track.at_highest = track.now;
  std::copy(track.now.begin(), track.now.end(), track.peaks.back().begin());
}

void MemoryOverTime::end(Seconds makespan) {
  reach(makespan.value);
  for (Track& track : ranks_) advance(track, static_cast<std::size_t>(makespan.value / width_));
}

}  // namespace rehearse
