// Whether a service keeps up with the requests that come.
#pragma once

#include <vector>

namespace rehearse {

// A request's time in the system.
struct Stay {
  double from = 0;
  double to = 0;
};

struct BacklogGrowth {
  double per_s = 0;
  bool steady = true;
};

// Of the requests in the system over the second half of the window: the first may fill the system.
// REQUIRES: begin < end.
BacklogGrowth backlog_growth(const std::vector<Stay>& stays, double begin, double end,
                             double offered_rate);

}  // namespace rehearse
