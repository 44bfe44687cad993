#include "collectives/libraries/one_way_each.hpp"

#include <utility>

#include "base/error.hpp"
#include "collectives/libraries/measured_costs.hpp"

namespace rehearse {

OneWayEach::OneWayEach(const GroupMachine& machine, std::string row, Rule rule)
    : machine_(machine), row_(std::move(row)), rule_(rule) {}

std::vector<CollectiveWay> OneWayEach::ways(CollectiveOp op) const {
  const Way way = rule_(op, machine_);
  const CollectiveAlgorithm* const algorithm = algorithm_named(op, way.algorithm);
  SIM_CHECK(algorithm != nullptr, "a library names an algorithm that there is not");
  return {{algorithm, {}, costs_on_fabric(*machine_.device, row_), way.channels, row_}};
}

std::optional<std::size_t> OneWayEach::choose(CollectiveOp /*op*/,
                                              std::span<const CollectiveWay> /*ways*/,
                                              Bytes /*bytes*/, const FanOut& /*fan_out*/) const {
  return 0;
}

ProtocolCosts OneWayEach::message() const { return costs_on_fabric(*machine_.device, row_); }

}  // namespace rehearse
