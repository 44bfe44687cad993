#include "collectives/libraries/measured_costs.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"

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
  constexpr double kInfiniBand = 0.94;  // 46 to 48 of 50 GB/s: nccl-tests issue 290
  ProtocolCosts costs = costs_of(device, row);
  costs.across *= device.network_share.value_or(kInfiniBand);
  return costs;
}

}  // namespace rehearse
