// size.json: what a sizing found, in the words of workloads/schema/size.proto.
#pragma once

#include <string>

#include "metrics/result_json.hpp"
#include "sizing/sizing.hpp"

namespace rehearse {

std::string sizing_json(const RunIdentity& identity, const Sizing& sizing);

}  // namespace rehearse
