// A traffic law -> requests.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/plan.hpp"

namespace rehearse {

const char* to_text(ArrivalProcess process);  // "poisson", "gamma", "constant"

// The most requests that a duration may bring; above, InputError.
constexpr int kMostGenerated = 1 << 23;

// In order of arrival; the same seed draws the same requests. Gaps, prompts and outputs are drawn
// from streams of their own, so that a law of one changes nothing of the others. The first request
// comes one gap after the traffic begins and is time 0 of the run. Throws InputError at `where`
// (serve.traffic.duration) where no request, or too many, come within the duration.
std::vector<Request> generate_requests(const TrafficLaw& law, std::uint64_t seed,
                                       const SourceLocation& where);

}  // namespace rehearse
