// Values as their mean and percentiles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace rehearse {

// Seconds. Percentiles are nearest-rank: the smallest value with at least that share of the values
// at or below it.
struct Distribution {
  double mean = 0;
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double max = 0;
};
Distribution distribution_of(std::vector<double> values);  // REQUIRES: at least one

// Percentiles by linear interpolation between the two values around (n - 1) x share, as
// numpy.percentile and so the load generators have them. Nothing of no values.
std::optional<Distribution> interpolated_distribution(std::vector<double> values);
// REQUIRES: rising, at least one.
double interpolated_percentile(const std::vector<double>& sorted, double share);

// The same of values that many share: as many numbers as there are different ones.
class Samples {
 public:
  void add(double value, std::int64_t times);
  std::optional<Distribution> distribution() const;               // nothing where nothing was added
  std::optional<Distribution> interpolated_distribution() const;  // likewise

 private:
  struct Sample {
    double value = 0;
    std::int64_t times = 0;
  };
  static void merge(std::vector<Sample>& samples);  // ascending, equal ones together

  std::vector<Sample> samples_;
  std::size_t merge_at_ = std::size_t{1} << 16;
};

}  // namespace rehearse
