// What a plan means before anything is simulated, as the JSON of workloads/schema/facts.proto.
#pragma once

#include <string>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "platform/platform.hpp"
#include "program/program.hpp"

namespace rehearse {

// Of every rank of the plan, also where the programs are those of one replica of several.
std::string facts_json(const Model& model, const Plan& plan, const Platform& platform,
                       const Programs& programs);

// Of a model by itself, sequences having `context` tokens, as proto::ModelFacts.
std::string model_facts_json(const Model& model, int context);

// The same with one element in every list: which fields there can be.
std::string facts_skeleton();

}  // namespace rehearse
