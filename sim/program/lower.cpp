#include "program/lower.hpp"

#include <fmt/format.h>

#include <map>
#include <stdexcept>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "model/weights.hpp"
#include "program/batch_work.hpp"
#include "program/program_builder.hpp"

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

namespace {

// A field of `collectives` as `parse` reads it, its mistakes located there.
template <class Parse>
auto parsed(const Plan& plan, const char* field, const std::string& text, const Parse& parse) {
  const std::string path = std::string("collectives.") + field;
  try {
    return parse(text);
  } catch (const std::invalid_argument& error) {
    throw InputError(plan.where.at(path), fmt::format("{} = {}", path, error.what()));
  }
}

void take_library(const Plan& plan, CollectiveUse& use) {
  const LibraryChoice& chosen = plan.library;
  if (!chosen.library.empty()) {
    use.library = parsed(plan, "library", chosen.library,
                         [](const std::string& name) { return &known_library(name); });
  }
  if (!plan.engine.library.empty()) use.preferred = library_named(plan.engine.library);
  use.more_launch = plan.engine.times.per_collective;
  if (!chosen.protocol.empty()) {
    use.protocol = parsed(plan, "protocol", chosen.protocol, known_protocol);
  }
  if (!chosen.launch.empty()) use.launch = parsed(plan, "launch", chosen.launch, known_launch);
  use.channels = chosen.channels;
}

}  // namespace

CollectiveUse collective_use(const Plan& plan) {
  CollectiveUse use;
  take_library(plan, use);
  for (int op = 0; op < kCollectiveOps; ++op) {
    const std::string name = to_text(static_cast<CollectiveOp>(op));
    const auto chosen = plan.collectives.find(name);
    if (chosen == plan.collectives.end()) continue;
    use.algorithms[op] = algorithm_named(static_cast<CollectiveOp>(op), chosen->second);
    if (use.algorithms[op] == nullptr) {
      throw InputError(
          plan.where.at("collectives." + name),
          fmt::format("collectives.{} = \"{}\": {}", name, chosen->second,
                      name_rule(chosen->second,
                                "auto " + names_of_algorithms(static_cast<CollectiveOp>(op)))));
    }
  }
  return use;
}

namespace {

void lower_batch(const Model& model, const Plan& plan, const std::vector<int>& node_of_rank,
                 Programs& result) {
  const RankGrid grid(plan.layout);
  PassLibrary library(model);
  const MicroBatches batches(plan);
  const std::vector<Share> share = batches.shares(result.groups);
  std::map<decltype(Role().key()), int> program_of;
  for (Rank rank = 0; rank < grid.size(); ++rank) {
    const Role role = role_of(plan, result.groups, grid, share, batches.equal_prompts(), rank);
    const auto [known, is_new] =
        program_of.try_emplace(role.key(), static_cast<int>(result.programs.size()));
    if (is_new) {
      result.programs.push_back(build_program(
          model, plan, work_of_batch(model, plan, batches, role), role.stage, library));
    }
    result.ranks.push_back({known->second, grid.coordinates(rank), share[rank], rank});
  }
  result.passes = library.take_passes();
  result.names = library.take_names();
  if (routes_tokens(plan, model)) {
    result.routing = std::make_shared<const ExpertRouting>(
        model, plan, result.groups, batches.routed_tokens(result.groups, model.moe->top_k),
        node_of_rank);
  }
}

}  // namespace

Programs lower(const Model& model, const Plan& plan, const std::vector<int>& node_of_rank) {
  Programs result;
  result.collectives = collective_use(plan);
  result.engine = plan.engine.times;
  result.compute_dtype = fastest_arithmetic(model);
  result.groups = build_groups(plan.layout);
  lower_batch(model, plan, node_of_rank, result);
  return result;
}

}  // namespace rehearse
