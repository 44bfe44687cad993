// The result of a run as a table that a person reads in 20 seconds.
#pragma once

#include <string>
#include <vector>

#include "metrics/metrics.hpp"
#include "metrics/result_json.hpp"
#include "report/lines.hpp"

namespace rehearse {

// `explain`: each line is followed by its definition.
std::string summary(const RunIdentity& identity, const Plan& plan, const Metrics& metrics,
                    bool explain);

// Of these lines those that say what was asked for: layout, traffic, and how they are served.
std::vector<Line> plan_lines(const Plan& plan);

// "does not fit: rank 3 needs 142 GB of 57.6 GB usable (0.90 of 64.0 GB); activations 137 GB: ..."
// (metrics/memory_advice.hpp); empty when it fits.
std::string memory_verdict(const MemoryPeak& memory);
// Why a service is not what its objective asks, a sentence each; none: it is, or there is none.
std::vector<std::string> service_verdicts(const Metrics& metrics);

}  // namespace rehearse
