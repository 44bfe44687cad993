// What a plan means, without simulating: the text of `rehearse show`.
#pragma once

#include <string>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "platform/platform.hpp"
#include "program/program.hpp"

namespace rehearse {

// Whether its GPUs, replicas included, are more than somebody reads one by one.
bool is_large(const Plan& plan);

// Parameters, work per token, layout, operators of a pass with the time bounds on this platform,
// memory by role, who holds what, and the process groups. Of many GPUs a screen of that
// (report/show_large.hpp), unless `every_rank` is asked for.
std::string show(const Model& model, const Plan& plan, const Platform& platform,
                 const Programs& programs, bool every_rank = false);

// The operator graph of one prefill and one decode pass of every stage.
std::string show_graphs(const Model& model, const Plan& plan);

}  // namespace rehearse
