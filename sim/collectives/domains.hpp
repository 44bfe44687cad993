// Members of a group by scale-up domain, for algorithms with two levels.
#pragma once

#include <string>
#include <vector>

#include "collectives/collective_algorithm.hpp"

namespace rehearse {

// Members by domain, in the order in which domains first appear.
std::vector<std::vector<int>> members_by_domain(const GroupShape& group);

// Why an algorithm that pairs members of equal place in their domains cannot serve the group:
// it needs several domains, with equally many members. Empty: it can.
std::string refusal_of_unequal_domains(const GroupShape& group);

}  // namespace rehearse
