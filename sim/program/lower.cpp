#include "program/lower.hpp"

#include <fmt/format.h>

#include <map>

#include "base/error.hpp"
#include "model/weights.hpp"
#include "program/micro_batches.hpp"
#include "program/program_builder.hpp"
#include "schedule/pipeline_schedule.hpp"

namespace rehearse {
namespace {

// The role of each rank, found from its place in the groups.
Role role_of(const Plan& plan, const ProcessGroups& groups, const RankGrid& grid,
             const std::vector<Share>& share, bool equal_prompts, Rank rank) {
  const Coordinates at = grid.coordinates(rank);
  const int smaller = plan.batch.sequences / plan.layout.dense_data();
  Role role;
  role.stage = at.pipeline;
  role.sequences = share[rank].count;
  role.group_replicas = plan.layout.expert;
  role.requests = share[rank];
  for (const Rank other : groups.of(rank, Axis::kExpert).ranks) {
    if (grid.coordinates(other).tensor != at.tensor) continue;
    if (share[other].count > smaller) ++role.larger_replicas;
    if (!equal_prompts) role.group.push_back(share[other]);
  }
  return role;
}

}  // namespace

std::array<const CollectiveAlgorithm*, kCollectiveOps> chosen_algorithms(const Plan& plan) {
  std::array<const CollectiveAlgorithm*, kCollectiveOps> algorithms{};
  for (int op = 0; op < kCollectiveOps; ++op) {
    const std::string name = to_text(static_cast<CollectiveOp>(op));
    const auto chosen = plan.collectives.find(name);
    if (chosen == plan.collectives.end()) continue;
    algorithms[op] = algorithm_named(static_cast<CollectiveOp>(op), chosen->second);
    if (algorithms[op] == nullptr) {
      throw InputError(
          plan.where.at("collectives." + name),
          fmt::format("collectives.{} = \"{}\": must be one of auto {}", name, chosen->second,
                      names_of_algorithms(static_cast<CollectiveOp>(op))));
    }
  }
  return algorithms;
}

Programs lower(const Model& model, const Plan& plan, const std::vector<int>& node_of_rank) {
  const RankGrid grid(plan.layout);
  Programs result;
  result.algorithms = chosen_algorithms(plan);
  result.compute_dtype = fastest_arithmetic(model);
  result.groups = build_groups(plan.layout);
  result.stages = pipeline_shape(plan.layout).stages();
  PassLibrary library(model, plan, result);

  const MicroBatches batches(plan);
  const std::vector<Share> share = batches.shares(result.groups);
  std::map<decltype(Role().key()), int> program_of;
  for (Rank rank = 0; rank < grid.size(); ++rank) {
    const Role role = role_of(plan, result.groups, grid, share, batches.equal_prompts(), rank);
    const auto [at, is_new] =
        program_of.try_emplace(role.key(), static_cast<int>(result.programs.size()));
    if (is_new) result.programs.push_back(build_program(model, plan, batches, role, library));
    result.ranks.push_back({at->second, grid.coordinates(rank), share[rank], rank});
  }
  if (routes_tokens(plan, model)) {
    result.routing = std::make_shared<const ExpertRouting>(
        model, plan, result.groups, batches.routed_tokens(result.groups, model.moe->top_k),
        node_of_rank);
  }
  return result;
}

}  // namespace rehearse
