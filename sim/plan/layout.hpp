// How a model is laid out over GPUs.
#pragma once

#include <string>
#include <vector>

namespace rehearse {

// Degrees of parallelism. The grid of ranks is tensor x context x expert x data x pipeline; `data`
// counts replicas of the experts, so the dense part has data x expert data-parallel replicas
// (Megatron's and vLLM's data-parallel size).
struct Layout {
  int tensor = 1;
  int pipeline = 1;
  int data = 1;  // as the plan multiplies: GPUs = tensor x pipeline x data x expert (x context)
  int expert = 1;
  int context = 1;        // only 1 is modelled
  int expert_tensor = 0;  // tensor-parallel degree inside an expert: `tensor` (0 means this) or 1
  bool sequence_parallel = false;
  int virtual_stages = 1;  // chunks of layers on each rank of the pipeline
  std::vector<int>
      layers_per_stage;  // empty: as even as possible, the first stages take the remainder
  std::string order = "tp-cp-ep-dp-pp";  // rank order, leftmost axis fastest

  int dense_data() const { return data * expert; }
  int stages() const { return pipeline * virtual_stages; }
  int gpus() const { return tensor * context * expert * data * pipeline; }
};

}  // namespace rehearse
