#include "routing/load_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rehearse {
namespace {

double sum_of(const std::vector<double>& loads) {
  return std::accumulate(loads.begin(), loads.end(), 0.0);
}

}  // namespace

double max_over_mean(const std::vector<double>& loads) {
  const double sum = sum_of(loads);
  if (!(sum > 0)) return 1;
  return *std::max_element(loads.begin(), loads.end()) * static_cast<double>(loads.size()) / sum;
}

double coefficient_of_variation(const std::vector<double>& loads) {
  const double count = static_cast<double>(loads.size());
  const double mean = sum_of(loads) / count;
  if (!(mean > 0)) return 0;
  double squares = 0;
  for (const double load : loads) squares += (load - mean) * (load - mean);
  return std::sqrt(squares / count) / mean;
}

double gini(std::vector<double> loads) {
  const double sum = sum_of(loads);
  if (!(sum > 0)) return 0;
  std::sort(loads.begin(), loads.end());
  const double count = static_cast<double>(loads.size());
  double weighted = 0;
  for (std::size_t place = 0; place < loads.size(); ++place) {
    weighted += (2 * (static_cast<double>(place) + 1) - count - 1) * loads[place];
  }
  return weighted / (count * sum);
}

}  // namespace rehearse
