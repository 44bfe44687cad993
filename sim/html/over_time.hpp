// Quantities over time in a fixed number of equal intervals. Nobody knows the makespan beforehand:
// when time passes the last interval, pairs of intervals become one and all are twice as wide.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "timeline/timeline.hpp"

namespace rehearse {

// What happens over time, summed over ranks: a row per quantity.
class SumsOverTime {
 public:
  SumsOverTime(std::size_t rows, std::size_t intervals);

  std::size_t rows() const { return rows_.size(); }
  void add_row() { rows_.emplace_back(intervals_, 0.0); }
  // `amount` spread evenly over [start, end).
  void add(std::size_t row, Seconds start, Seconds end, double amount);

  void scale(double factor);

  Seconds width() const { return {width_}; }  // of an interval
  const std::vector<double>& row(std::size_t index) const { return rows_[index]; }

 private:
  void reach(double end);

  std::vector<std::vector<double>> rows_;
  std::size_t intervals_;
  double width_;
};

// The memory of each rank: in each interval, the categories at the time of their highest sum.
class MemoryOverTime {
 public:
  using Levels = std::array<float, static_cast<int>(MemoryCategory::kCount)>;  // bytes

  MemoryOverTime(std::size_t ranks, std::size_t intervals);

  // `rank` counts the ranks of this object. REQUIRES: levels of one rank come in time order.
  void add(std::size_t rank, const MemoryLevel& level);
  // Extends every rank's last levels up to the end of the run.
  void end(Seconds makespan);

  Seconds width() const { return {width_}; }
  std::size_t ranks() const { return ranks_.size(); }
  const std::vector<Levels>& rank(std::size_t index) const { return ranks_[index].peaks; }

 private:
  struct Track {
    std::array<double, static_cast<int>(MemoryCategory::kCount)> now{};
    std::vector<Levels> peaks;  // of the intervals up to the present one
    double highest = 0;         // of the present interval
    std::array<double, static_cast<int>(MemoryCategory::kCount)> at_highest{};
  };
  void reach(double time);
  void advance(Track& track, std::size_t interval) const;

  std::vector<Track> ranks_;
  std::size_t intervals_;
  double width_;
};

}  // namespace rehearse
