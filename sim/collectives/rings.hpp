// The rings that ring algorithms build (ring.cpp).
#pragma once

#include <vector>

#include "collectives/collective_algorithm.hpp"

namespace rehearse {

// The members in the order in which ring `channel` passes them; of GroupShape::channels 0 there is
// one, in their own order.
std::vector<int> ring_order(const GroupShape& group, int channel);

}  // namespace rehearse
