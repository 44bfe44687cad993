// Direct all-to-all: every member sends each other member its n-th of the buffer, all messages at
// once (NCCL's grouped send/recv). A member's messages share its port: time = latency + (n-1)/n x
// bytes / bandwidth.
#pragma once

#include "program/collectives/collective_algorithm.hpp"

namespace rehearse {

extern const CollectiveAlgorithm kDirectAllToAll;

}  // namespace rehearse
