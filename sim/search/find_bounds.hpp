// The first stage of a search: what every candidate can reach at best, and so which of them cannot
// be chosen whatever they do.
#pragma once

#include <deque>
#include <functional>

#include "search/entry.hpp"
#include "search/search.hpp"
#include "search/workers.hpp"

namespace rehearse {

// Fills `bound` and `excluded` of all entries, and the state of those that are not simulated:
// what is excluded, but for what is wanted or exhaustive. `report` is called every now and then;
// false stops.
// Throws InputError: the bounds of some took longer than a worker's time limit.
bool find_bounds(std::deque<Entry>& entries, const SearchGoals& goals, Workers& workers,
                 const std::function<bool(long bounded)>& report);

}  // namespace rehearse
