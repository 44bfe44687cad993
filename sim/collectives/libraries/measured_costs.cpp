#include "collectives/libraries/measured_costs.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"
#include "platform/network_share.hpp"

namespace rehearse {

ProtocolCosts costs_of(const Device& device, std::string_view row) {
  const auto own = device.collectives.find(row);
  if (own != device.collectives.end()) return own->second;
  const auto table = unmeasured_costs();
  const auto mean = std::find_if(table.begin(), table.end(),
                                 [&](const NamedCosts& each) { return each.row == row; });
  SIM_CHECK(mean != table.end(), "no costs of " + std::string(row));
  ProtocolCosts costs = mean->costs;
  costs.assumed = true;
  return costs;
}

bool is_measured(const Device& device, std::string_view row) {
  const auto own = device.collectives.find(row);
  return own != device.collectives.end() && !own->second.assumed;
}

ProtocolCosts costs_on_fabric(const Device& device, std::string_view row) {
  ProtocolCosts costs = costs_of(device, row);
  costs.across *= reached_of_network(device);
  return costs;
}

}  // namespace rehearse
