// What a simulation may take: one that would take more is refused, with the estimate, before it
// begins.
#pragma once

#include <limits>
#include <string>

#include "base/error.hpp"
#include "base/progress.hpp"
#include "base/units.hpp"
#include "plan/plan.hpp"
#include "program/program.hpp"

namespace rehearse {

struct Limits {
  Bytes memory;                                           // replay/memory_estimate.cpp
  Seconds time{std::numeric_limits<double>::infinity()};  // replay/time_estimate.hpp
};

// Each throws an InputError at `where` when `needed` is above `limit`, and names the option.
// "WHAT would need about 3.0 GB of memory"
void refuse_too_large(const SourceLocation& where, const char* what, Bytes needed, Bytes limit);
// "WHAT would take about 3 min"
void refuse_too_slow(const SourceLocation& where, const std::string& what, Seconds needed,
                     Seconds limit);

// The replay of the programs; `progress` (or nullptr) gets the number of their operations.
void refuse_long_replay(const SourceLocation& where, const Programs& programs,
                        NetworkLevelName level, Seconds limit, ProgressCounter* progress);

}  // namespace rehearse
