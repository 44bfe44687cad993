// Random numbers that depend on a key and on nothing else, so that what is drawn for one layer and
// step does not depend on what was drawn before. SplitMix64 (Steele, Lea, Flood 2014).
#pragma once

#include <cstdint>
#include <initializer_list>

namespace rehearse {

class RandomStream {
 public:
  explicit RandomStream(std::initializer_list<std::uint64_t> key);

  std::uint64_t next();
  double uniform();  // in (0, 1)
  double normal();   // Marsaglia's polar method
  int below(int bound);

  // Successes of n trials. Inversion while n x min(p, 1 - p) is at most 10; above, the normal
  // approximation with Cornish and Fisher's (1938) correction for skewness, rounded.
  int binomial(int n, double p);
  // For p at most 1/2, with log_failure = log(1 - p) known.
  int binomial(int n, double p, double log_failure);

  // Gamma distribution of scale 1 (Marsaglia and Tsang 2000).
  double gamma(double shape);

 private:
  std::uint64_t state_ = 0;
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace rehearse
