// What commands with a plan do first.
#pragma once

#include "input/input.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {

// The plan and its model, read and checked: the only way to them for what simulates or lowers.
// Throws InputError.
PreparedPlan prepare(const PlanRequest& request);

// For one of so many simulations that run at once.
SimulationOptions simulation_options(const Limits& limits, int at_once = 1);

}  // namespace rehearse
