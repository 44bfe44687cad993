#include "collectives/domains.hpp"

#include <fmt/format.h>

#include <map>

namespace rehearse {

std::vector<std::vector<int>> members_by_domain(const GroupShape& group) {
  std::vector<std::vector<int>> domains;
  std::map<int, std::size_t> place;
  for (int member = 0; member < group.size(); ++member) {
    const auto [at, is_new] = place.try_emplace(group.domain[member], domains.size());
    if (is_new) domains.emplace_back();
    domains[at->second].push_back(member);
  }
  return domains;
}

std::vector<std::vector<int>> servers_of(const GroupShape& group) {
  if (group.domain.front() >= 0) return members_by_domain(group);
  std::vector<std::vector<int>> alone(group.size());
  for (int member = 0; member < group.size(); ++member) alone[member] = {member};
  return alone;
}

std::string refusal_of_unequal_domains(const GroupShape& group) {
  if (group.domain.front() < 0) return "needs a platform with scale-up domains";
  const auto domains = members_by_domain(group);
  if (domains.size() < 2) return "needs members in at least two domains, all are in one";
  for (const std::vector<int>& members : domains) {
    if (members.size() != domains.front().size()) {
      return fmt::format("needs as many members in every domain, one has {} and one {}",
                         domains.front().size(), members.size());
    }
  }
  return {};
}

std::string refusal_of_lone_members(const GroupShape& group) {
  std::string unequal = refusal_of_unequal_domains(group);
  if (!unequal.empty()) return unequal;
  const bool alone = members_by_domain(group).front().size() < 2;
  return alone ? "needs at least two members in every domain" : std::string();
}

}  // namespace rehearse
