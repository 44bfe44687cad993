// Random plans whose replicas do the same, and fabrics that may serve them alike.
#pragma once

#include <string>

#include "property/random_plans.hpp"

namespace rehearse {

// Where replicas have links to themselves, share all of them, or share in blocks.
const std::string& draw_zone();

// For one of these.
RandomPlan draw_plan_of_equal_replicas();

}  // namespace rehearse
