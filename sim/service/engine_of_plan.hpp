// What an engine of the plan is told: what the plan says, and else what the engine would do by
// itself on these GPUs.
#pragma once

#include <string>
#include <vector>

#include "model/model.hpp"
#include "plan/plan.hpp"
#include "platform/platform.hpp"
#include "serving/engine_settings.hpp"

namespace rehearse {

// What of a GPU's memory is left for keys and values.
struct KvRoom {
  Bytes usable;       // of the smallest GPU
  Bytes weights;      // of the stage with the least room, as are the others
  Bytes prediction;   // of these weights: of the layers that draft
  Bytes activations;  // of the largest pass
  Bytes buffers;      // of communication
  Bytes left;
  Bytes states;  // of these: what sequences keep whatever their length
  Bytes block;   // keys and values of a block of tokens, on one GPU
  double fraction = 0.9;
};

// The scale-up domain of each rank of a copy of the layout, whose GPUs are those from there on.
std::vector<int> nodes_of_ranks(const Layout& layout, const Platform& platform, int first_gpu);

// A pool of engines, as the plan's own fields say or those of a pool.
struct PlannedEngine {
  serving::EngineSettings settings;
  KvRoom room;  // means nothing where the plan gives kv_blocks
  bool drafts_by_prediction = false;
};

// Throws InputError, at `field`: no scheduler is called as its choice.
void check_scheduler(const Plan& plan, const EngineChoice& choice, const std::string& field);

// REQUIRES: plan.serve without pools, or the plan of a pool (pools_of_plan.hpp); its GPUs are those
// from `first_gpu` on. `field`: of the choice ("serve.engine"), for messages. Throws InputError: no
// scheduler of that name, settings that it does not take; and DoesNotFit: weights that leave no
// room for a block.
PlannedEngine engine_of(const Plan& plan, const EngineChoice& choice, const Model& model,
                        const Platform& platform, const std::string& field, int first_gpu = 0);

// The same, and that message says what would make room (room_advice.hpp), for which some further
// engines are planned.
PlannedEngine advised_engine_of(const Plan& plan, const EngineChoice& choice, const Model& model,
                                const Platform& platform, const std::string& field,
                                int first_gpu = 0);

}  // namespace rehearse
