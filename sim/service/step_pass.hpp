// A step of an engine as the pass that a rank executes: with what its price and its replay begin.
#pragma once

#include <span>
#include <vector>

#include "model/model.hpp"
#include "model/slice.hpp"
#include "serving/step.hpp"

namespace rehearse {

struct StepPass {
  std::vector<Slice> slices;
  // Decodes whose queries see all keys: what they take depends on how many they are and on the sum
  // of their contexts alone, and grows linearly in its amounts. The slices are those of step 0,
  // with contexts of 1; `step` is where the mean context is that of the batch.
  bool grows = false;
  double step = 0;
};

// `limited`: some layer's queries do not see all keys.
StepPass pass_of_step(const serving::StepShape& shape, bool limited);

// That all ranks which step together bring to the experts.
double group_tokens(const Model& model, std::span<const serving::StepShape> ranks);

// The most requests that begin in the step on any rank, for which the host takes time.
int most_that_begin(std::span<const serving::StepShape> ranks);

}  // namespace rehearse
