// Members of a group by scale-up domain, for algorithms with two levels.
#pragma once

#include <string>
#include <vector>

#include "collectives/collective_algorithm.hpp"

namespace rehearse {

// Members by domain, in the order in which domains first appear.
std::vector<std::vector<int>> members_by_domain(const GroupShape& group);

// Members by domain; a member without one is alone.
std::vector<std::vector<int>> servers_of(const GroupShape& group);

// Why an algorithm that pairs members of equal place in their domains cannot serve the group:
// it needs several domains, with equally many members. Empty: it can.
std::string refusal_of_unequal_domains(const GroupShape& group);
// The same of one that works inside the domains as well: at least two members in each.
std::string refusal_of_lone_members(const GroupShape& group);

}  // namespace rehearse
