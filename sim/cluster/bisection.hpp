// Bisection bandwidth: what one half of a cluster can send to the other half at once.
#pragma once

#include <cstdint>

#include "cluster/cluster.hpp"

namespace rehearse {

// The maximum flow, in one direction, from the GPUs before `cut` to the others. GPUs are sources
// and sinks without limit; vertices are the links, each with its bandwidth; a flow may pass from
// one link to the next where some route of the sample does, so the routes may be mixed (adaptive
// routing). A link that no flow shares (FATPIPE) counts its bandwidth once per route of the sample.
struct Bisection {
  int cut = 0;  // the domain border nearest to the middle; the middle when all are one domain
  std::int64_t routes = 0;  // in the sample: all pairs up to 128 GPUs, above them each GPU of the
                            // first half to the 16 that follow its mirror image in the second
  BytesPerSecond bandwidth;
};

// Throws InputError naming two GPUs when there is no route between them. REQUIRES 2 GPUs.
Bisection measure_bisection(Cluster& cluster);

}  // namespace rehearse
