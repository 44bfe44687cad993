// A traffic law -> requests.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/plan.hpp"

namespace rehearse {

const char* to_text(ArrivalProcess process);  // "poisson", "gamma", "constant"

// The most requests that a duration may bring; above, InputError.
constexpr int kMostGenerated = 1 << 23;

// Tokens that each of Request::blocks stands for, where there are any: a block of vLLM's cache.
constexpr int kDrawnBlockTokens = 16;
// Of all requests together: 1 GiB of them.
constexpr long kMostDrawnBlocks = 1L << 27;

// Whether the requests of the law have blocks: those that begin alike, or continue each other.
bool describes_blocks(const TrafficLaw& law);

// Where serve.traffic.duration, .turns and .prefix stand, for what is refused of them.
struct TrafficPlaces {
  SourceLocation duration = {};
  SourceLocation turns = {};
  SourceLocation prefix = {};
};

// In order of arrival, the turns of a session one behind the other; the same seed draws the same
// requests. Gaps, prompts, outputs and groups are drawn from streams of their own, so that a law of
// one changes nothing of the others. The first request comes one gap after the traffic begins and
// is time 0 of the run; without a rate all arrive at 0. Throws InputError where no request, or too
// many, come within the duration, where a turn is longer than a request may be, and where there
// are too many blocks.
std::vector<Request> generate_requests(const TrafficLaw& law, std::uint64_t seed,
                                       const TrafficPlaces& where);

}  // namespace rehearse
