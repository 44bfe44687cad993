// How long requests and sessions live in a service, and for how long they come.
#pragma once

#include <optional>
#include <vector>

#include "metrics/arrival_window.hpp"
#include "serving/service.hpp"

namespace rehearse {

// Of a session, or of a request that is none: from its arrival to its last token.
struct Life {
  double from = 0;
  double to = 0;
  double queued = 0;  // of this, in the queue, all its turns together
};

// Of those that were served, a session up to its last turn that was; in order of arrival.
std::vector<Life> lives_of(const Serve& serve, const serving::ServiceResult& result);

// Nothing where nobody comes at a date of his own, all at the same one, or nobody was served.
std::optional<ArrivalWindow> arrival_window(const Serve& serve,
                                            const serving::ServiceResult& result,
                                            const std::vector<Life>& lives);

}  // namespace rehearse
