#include "base/random_stream.hpp"

#include <algorithm>
#include <cmath>

namespace rehearse {
namespace {

constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ULL;

std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// p at most 1/2, n p small.
int invert(int n, double p, double log_failure, double uniform) {
  const double odds = p / (1 - p);
  double probability = std::exp(n * log_failure);
  int successes = 0;
  while (uniform > probability && successes < n) {
    uniform -= probability;
    probability *= odds * (n - successes) / (successes + 1);
    ++successes;
  }
  return successes;
}

}  // namespace

RandomStream::RandomStream(std::initializer_list<std::uint64_t> key) {
  for (const std::uint64_t part : key) state_ = mixed(state_ + kGolden + mixed(part + kGolden));
}

std::uint64_t RandomStream::next() { return mixed(state_ += kGolden); }

double RandomStream::uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1p-53; }

int RandomStream::below(int bound) {
  return std::min(bound - 1, static_cast<int>(uniform() * bound));
}

double RandomStream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  double x = 0;
  double y = 0;
  double square = 0;
  do {
    x = 2 * uniform() - 1;
    y = 2 * uniform() - 1;
    square = x * x + y * y;
  } while (square >= 1);
  const double scale = std::sqrt(-2 * std::log(square) / square);
  spare_ = y * scale;
  has_spare_ = true;
  return x * scale;
}

int RandomStream::binomial(int n, double p) {
  if (p >= 1) return std::max(n, 0);
  if (p > 0.5) return n - binomial(n, 1 - p, std::log(p));
  return binomial(n, p, std::log1p(-p));
}

int RandomStream::binomial(int n, double p, double log_failure) {
  constexpr double kMostForInversion = 10;
  if (n <= 0 || p <= 0) return 0;
  if (n * p <= kMostForInversion) return invert(n, p, log_failure, uniform());
  const double deviation = std::sqrt(n * p * (1 - p));
  const double skewness = (1 - 2 * p) / deviation;
  const double z = normal();
  const double drawn = n * p + deviation * (z + skewness * (z * z - 1) / 6);
  return static_cast<int>(std::lround(std::clamp(drawn, 0.0, static_cast<double>(n))));
}

double RandomStream::gamma(double shape) {
  if (shape < 1) return gamma(shape + 1) * std::pow(uniform(), 1 / shape);
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

}  // namespace rehearse
