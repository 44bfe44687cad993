// The work of the replicas where requests arrive one after the other.
//
// An engine is the replicas that share experts, layout.expert of them, which step together; there
// are layout.data of them, and a rank's is its data coordinate.
#pragma once

#include <vector>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/replica_work.hpp"
#include "schedule/batch_scheduler.hpp"

namespace rehearse {

// REQUIRES for the following: plan.serve.

// Throws InputError: the engine is not known, or the plan asks for what is not modelled beside it.
void check_serve(const Plan& plan, const Model& model);

// By engine: requests come to the engines in turns, in order of arrival.
std::vector<std::vector<Decision>> engine_logs(const Plan& plan);

// By replica of the engine that does what `log` says. Each batch is spread over them as evenly as
// possible, and prefilled in passes of at most kPrefillPassTokens. A request that has all its
// tokens takes no part in the steps that follow; its micro-batch keeps the others.
std::vector<ReplicaWork> served_work(const Plan& plan, const Model& model,
                                     const std::vector<Decision>& log);

}  // namespace rehearse
