// The times from each token of a request to its next, of all requests of a service together.
#pragma once

#include <optional>

#include "metrics/distribution.hpp"
#include "serving/service.hpp"

namespace rehearse {

// Of the requests that arrive at `from` or later; nothing where none has a second token.
std::optional<Distribution> inter_token_latency(const serving::ServiceResult& result,
                                                serving::Picoseconds from);

}  // namespace rehearse
