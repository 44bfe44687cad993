// By how much a candidate misses what it is excluded for.
#pragma once

#include <string>
#include <vector>

#include "search/search.hpp"

namespace rehearse {

// Of the memory of the fullest GPU, what may be used; NaN where a service has no limit.
double usable_bytes(const std::vector<double>& values, const SearchGoals& goals);

// "12.5 GB of 9.00 GB usable, 38.9 % too much", or "simulated 1.5 s, the limit is 0.9 (66.7 %
// off)" of each constraint; memory first, as everywhere. Empty: neither is missed, so what a
// service misses says by how much itself. `simulated`: the values are no bound's.
std::string shortfall(const SearchGoals& goals, const std::vector<double>& values, bool simulated);

// The reason of a row that cannot be chosen, and by how much.
std::string reason_text(const SearchGoals& goals, const SearchRow& row);

}  // namespace rehearse
