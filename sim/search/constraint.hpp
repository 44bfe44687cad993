// What a candidate must keep: a quantity and its limit.
#pragma once

#include <string>
#include <vector>

#include "search/objective.hpp"

namespace rehearse {

struct Constraint {
  std::string text;
  int quantity = 0;
  bool at_most = true;
  double limit = 0;  // in the quantity's unit

  // Of what was not measured (NaN): false.
  bool holds(double value) const { return at_most ? value <= limit : value >= limit; }
};

// "ttft_s.p99 <= 6", "ttft_s.p99 <= 900ms", "memory.peak_bytes <= 70GB", "utilization.mfu >= 40%":
// a number without a unit is in the quantity's own. Throws InputError for what is none, and for one
// that contradicts another or limits the same from the same side.
std::vector<Constraint> read_constraints(const SpaceField& field);

}  // namespace rehearse
