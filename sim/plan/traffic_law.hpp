// How requests come that no trace lists: a rate and lengths, as load generators draw them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"

namespace rehearse {

enum class ArrivalProcess : std::uint8_t { kPoisson, kGamma, kConstant };

// Lengths in tokens, of prompts or of outputs. At most one of the laws; none: all are `tokens`
// long.
struct LengthLaw {
  int tokens = 1;
  std::optional<double> range;      // r: whole numbers from floor(L (1 - r)) to ceil(L (1 + r))
  std::optional<double> least;      // l: whole numbers from floor(L l) to L
  std::optional<double> variation;  // lognormal, mean L: standard deviation / mean
  std::string file;                 // resolved; drawn from these, with replacement
  std::vector<int> of_file = {};
};

// Requests in groups whose prompts begin alike.
struct SharedPrefix {
  int tokens = 0;  // of each prompt, beside those of its own
  int groups = 1;
};

struct TrafficLaw {
  double rate = 0;  // requests per second, of the whole plan; 0: all at once (Serve::concurrency)
  ArrivalProcess process = ArrivalProcess::kPoisson;
  double variation = 1;  // of the gaps, gamma: standard deviation / mean
  int requests = 0;      // 0: as many as come within the duration
  std::optional<Seconds> duration;
  LengthLaw prompt;
  LengthLaw output;
  std::optional<SharedPrefix> prefix;
  int turns = 1;  // of a session: each continues the one before, whose prompt and output it has
  Seconds think;  // between the end of a turn and the next
};

}  // namespace rehearse
