// What the protocols of a library cost on a GPU: rows of kCostRows (platform/collective_costs.hpp).
#pragma once

#include <span>
#include <string_view>

#include "platform/platform.hpp"

namespace rehearse {

// The device's own row; where it has none, that of unmeasured_costs(), which is `assumed`.
// REQUIRES: one of kCostRows.
ProtocolCosts costs_of(const Device& device, std::string_view row);
// The same, with what transfers reach on the device's fabric: that of its network links, whatever
// the protocol makes of the rest.
ProtocolCosts costs_on_fabric(const Device& device, std::string_view row);
// Whether the row was measured on this GPU, and not on another that stands for it.
bool is_measured(const Device& device, std::string_view row);

struct NamedCosts {
  std::string_view row;
  ProtocolCosts costs;
};
// Of GPUs without measurements (unmeasured_costs.cpp), in the order of kCostRows.
std::span<const NamedCosts> unmeasured_costs();

}  // namespace rehearse
