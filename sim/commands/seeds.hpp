// A service as other seeds draw it.
#pragma once

#include <string>
#include <vector>

#include "simulation/simulation.hpp"

namespace rehearse {

// --seeds as typed. Throws InputError: no such number, or several of a plan in which nothing is
// drawn.
int seeds_of(const std::string& typed, const PreparedPlan& prepared);

}  // namespace rehearse
