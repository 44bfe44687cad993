// The traffic of a plan, as workloads/schema/plan.proto has it.
#pragma once

#include "plan/plan.hpp"
#include "proto/plan.pb.h"

namespace rehearse {

// Takes a trace's path or a law; nothing is read or drawn. Throws InputError at the field that is
// missing, wrong, or of another source of requests.
void take_traffic(const proto::Traffic& written, const FieldLocations& where, Serve& serve);

// Requests per second: "12/s", "30/min", "500/h". Throws std::invalid_argument.
double parse_request_rate(const std::string& text);

}  // namespace rehearse
