// A service as a Chrome trace (JSON, gzip), as trace/chrome_trace.hpp has it for operators.
//
// In the trace:
//   - a process per replica with a thread "steps": a slice per step where steps were logged, with
//     how many requests and tokens are in it; steps that overlap, of the stages of a pipeline, lie
//     on threads of their own. A counter "requests" with those that wait and those that run.
//   - a process "requests": each from its arrival to its last token, and in it its queueing, its
//     prefill (from its first step to its first token) and its decoding.
// Dates are rounded to 1 ns.
#pragma once

#include "plan/plan.hpp"
#include "serving/service.hpp"
#include "trace/trace_options.hpp"

namespace rehearse {

// options.ranks: the replicas that are shown; empty: all. Requests are shown of all replicas.
// Throws InputError for a replica that is not there. REQUIRES: plan.serve, whose requests these
// are.
void service_trace(const Plan& plan, const serving::ServiceResult& result,
                   const TraceOptions& options);

}  // namespace rehearse
