// The program of one role: which passes its ranks run, in which order.
#pragma once

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "program/pass_library.hpp"
#include "program/program.hpp"
#include "program/replica_work.hpp"

namespace rehearse {

// Of a rank of the pipeline of a replica that does this work.
Program build_program(const Model& model, const Plan& plan, const ReplicaWork& work, int stage,
                      PassLibrary& library);

}  // namespace rehearse
