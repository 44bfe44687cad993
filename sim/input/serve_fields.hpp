// The job `serve` of a plan, as workloads/schema/plan.proto has it.
#pragma once

#include "plan/plan.hpp"
#include "proto/plan.pb.h"

namespace rehearse {

// Takes plan.serve; nothing is read or drawn, and whether schedulers and routers of these names
// exist is not asked. With pools plan.layout becomes that of the prefill pool, and is placed where
// that is written. Throws InputError at the field that is missing or wrong.
void take_serve(const proto::Plan& written, FieldLocations& where, Plan& plan);

// vllm, sglang, tensorrt_llm, static: what an engine's name may be besides a profile's.
bool is_scheduler(const std::string& name);

}  // namespace rehearse
