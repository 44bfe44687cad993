// What the backlog of a service is made of, and whether it could be judged.
#pragma once

#include "metrics/serving.hpp"

namespace rehearse {

// What comes at dates of its own, and so may pile up: "requests", or "sessions".
const char* arrivals_name(const Serving& serving);
// Sessions come for too short to say whether the service keeps up with them.
bool is_unjudged(const Serving& serving);

}  // namespace rehearse
