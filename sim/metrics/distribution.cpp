#include "metrics/distribution.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.hpp"

namespace rehearse {
namespace {

// numpy's: from the nearer of the two, so that a share of 1 gives the upper one to the last digit.
double between(double below, double above, double part) {
  return part < 0.5 ? below + (above - below) * part : above - (above - below) * (1 - part);
}

// `value_at`: the n-th smallest of `count`, from 0.
template <class ValueAt>
double interpolated(double count, double share, const ValueAt& value_at) {
  const double place = share * (count - 1);
  const double below = std::floor(place);
  const double above = std::min(below + 1, count - 1);
  return between(value_at(below), value_at(above), place - below);
}

}  // namespace

double interpolated_percentile(const std::vector<double>& sorted, double share) {
  SIM_CHECK(!sorted.empty(), "there is no percentile of no values");
  return interpolated(static_cast<double>(sorted.size()), share,
                      [&](double place) { return sorted[static_cast<std::size_t>(place)]; });
}

std::optional<Distribution> interpolated_distribution(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return Distribution{sum / static_cast<double>(values.size()),
                      interpolated_percentile(values, 0.50), interpolated_percentile(values, 0.90),
                      interpolated_percentile(values, 0.99), values.back()};
}

Distribution distribution_of(std::vector<double> values) {
  SIM_CHECK(!values.empty(), "there is no distribution of no values");
  std::sort(values.begin(), values.end());
  const double count = static_cast<double>(values.size());
  const auto percentile = [&](double share) {
    return values[static_cast<std::size_t>(std::max(1.0, std::ceil(share * count))) - 1];
  };
  Distribution result;
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  result.p50 = percentile(0.50);
  result.p90 = percentile(0.90);
  result.p99 = percentile(0.99);
  result.max = values.back();
  return result;
}

void Samples::add(double value, std::int64_t times) {
  if (!samples_.empty() && samples_.back().value == value) {
    samples_.back().times += times;
    return;
  }
  samples_.push_back({value, times});
  if (samples_.size() < merge_at_) return;
  merge(samples_);
  merge_at_ = std::max(merge_at_, 2 * samples_.size());
}

void Samples::merge(std::vector<Sample>& samples) {
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.value < b.value; });
  std::size_t last = 0;
  for (std::size_t at = 1; at < samples.size(); ++at) {
    if (samples[at].value == samples[last].value) {
      samples[last].times += samples[at].times;
    } else {
      samples[++last] = samples[at];
    }
  }
  if (!samples.empty()) samples.resize(last + 1);
}

std::optional<Distribution> Samples::distribution() const {
  if (samples_.empty()) return std::nullopt;
  std::vector<Sample> sorted = samples_;
  merge(sorted);
  double count = 0;
  double sum = 0;
  for (const Sample& sample : sorted) {
    count += static_cast<double>(sample.times);
    sum += sample.value * static_cast<double>(sample.times);
  }
  const auto percentile = [&](double share) {
    const double wanted = std::max(1.0, std::ceil(share * count));
    double passed = 0;
    for (const Sample& sample : sorted) {
      passed += static_cast<double>(sample.times);
      if (passed >= wanted) return sample.value;
    }
    return sorted.back().value;
  };
  return Distribution{sum / count, percentile(0.50), percentile(0.90), percentile(0.99),
                      sorted.back().value};
}

std::optional<Distribution> Samples::interpolated_distribution() const {
  if (samples_.empty()) return std::nullopt;
  std::vector<Sample> sorted = samples_;
  merge(sorted);
  std::vector<double> counts;  // of values up to each
  double count = 0;
  double sum = 0;
  for (const Sample& sample : sorted) {
    count += static_cast<double>(sample.times);
    sum += sample.value * static_cast<double>(sample.times);
    counts.push_back(count);
  }
  const auto value_at = [&](double place) {
    return sorted[std::upper_bound(counts.begin(), counts.end(), place) - counts.begin()].value;
  };
  return Distribution{sum / count, interpolated(count, 0.50, value_at),
                      interpolated(count, 0.90, value_at), interpolated(count, 0.99, value_at),
                      sorted.back().value};
}

}  // namespace rehearse
