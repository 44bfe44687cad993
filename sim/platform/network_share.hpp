// What transfers reach of the rates of network links.
#pragma once

#include "platform/platform.hpp"

namespace rehearse {

inline double reached_of_network(const Device& device) {
  constexpr double kInfiniBand = 0.94;  // 46 to 48 of 50 GB/s: nccl-tests issue 290
  return device.network_share.value_or(kInfiniBand);
}

}  // namespace rehearse
