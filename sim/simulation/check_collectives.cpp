#include "simulation/check_collectives.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "network/lone_transfers.hpp"
#include "replay/rendezvous.hpp"

namespace rehearse {
namespace {

std::set<std::pair<Axis, CollectiveOp>> collectives_of(const Programs& programs) {
  std::set<std::pair<Axis, CollectiveOp>> used;
  for (const PassProgram& pass : programs.passes) {
    for (const Instruction& at : pass.instructions) {
      if (at.kind == Instruction::Kind::kCollective) used.emplace(at.axis, at.op);
    }
  }
  return used;
}

// The algorithms that the plan names must serve the groups that use them.
void check_algorithms(const Plan& plan, const Programs& programs, const Platform& platform) {
  for (const auto& [axis, op] : collectives_of(programs)) {
    const CollectiveAlgorithm* const named = programs.collectives.algorithms[static_cast<int>(op)];
    if (named == nullptr) continue;
    for (const ProcessGroup& group : programs.groups.groups) {
      if (group.axis != axis) continue;
      const std::string refusal =
          named->refusal(shape_of(gpus_of(programs, group.ranks), platform));
      if (refusal.empty()) continue;
      const std::string field = fmt::format("collectives.{}", to_text(op));
      throw InputError(plan.where.at(field), fmt::format("{} = \"{}\" {} ({} groups)", field,
                                                         named->name, refusal, to_text(axis)));
    }
  }
}

// A library that the plan names must run on the groups that use it, and know the plan's protocol
// for at least one of their operations.
void check_library(const Plan& plan, const Programs& programs, Cluster& cluster) {
  const bool has_protocol = plan.library.protocol.empty();
  if (plan.library.library.empty() && has_protocol) return;
  LoneTransfers transfers(cluster);
  bool known = has_protocol;
  for (const auto& [axis, op] : collectives_of(programs)) {
    for (const ProcessGroup& group : programs.groups.groups) {
      if (group.axis != axis || group.ranks.size() < 2) continue;
      Endpoints& ends = transfers.between(op, programs.collectives, gpus_of(programs, group.ranks));
      const std::string refusal = transfers.refusal(ends);
      if (!refusal.empty()) {
        throw InputError(plan.where.at("collectives.library"),
                         fmt::format("collectives.library = \"{}\" {} ({} groups)",
                                     plan.library.library, refusal, to_text(axis)));
      }
      known = known || !transfers.lacks_protocol(ends);
    }
  }
  if (known) return;
  throw InputError(plan.where.at("collectives.protocol"),
                   fmt::format("collectives.protocol = \"{}\": the library has it for none of the "
                               "plan's operations",
                               plan.library.protocol));
}

}  // namespace

void check_collectives(const Plan& plan, const Programs& programs, Cluster& cluster) {
  check_algorithms(plan, programs, cluster.platform());
  check_library(plan, programs, cluster);
}

}  // namespace rehearse
