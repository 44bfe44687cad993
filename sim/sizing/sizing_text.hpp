// What a sizing found, for people.
#pragma once

#include <string>

#include "metrics/result_json.hpp"
#include "sizing/sizing.hpp"

namespace rehearse {

std::string sizing_text(const RunIdentity& identity, const Plan& plan, const Sizing& sizing);

// "no rate is feasible: TTFT p99 at 0.05 requests/s is 1.84 s, 1.84 x the objective". REQUIRES:
// there is no largest rate.
std::string infeasible_text(const Sizing& sizing);

}  // namespace rehearse
