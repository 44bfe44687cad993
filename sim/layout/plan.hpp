// A deployment plan as its author wrote it: which model on which platform, laid out how, serving
// what. Plain data.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"

namespace rehearse {

enum class NetworkLevelName { kFluid, kExact, kAnalytic };

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
  std::vector<int>
      layers_per_stage;  // empty: as even as possible, the first stages take the remainder
  std::string order = "tp-cp-ep-dp-pp";  // rank order, leftmost axis fastest

  int dense_data() const { return data * expert; }
  int gpus() const { return tensor * context * expert * data * pipeline; }
};

// One batch of equal requests, all there at time 0.
struct Batch {
  int sequences = 1;
  int prompt_tokens = 1;
  int output_tokens = 1;
  int micro_batches = 1;  // prefill: each data-parallel replica cuts its sequences into this many
  int decode_micro_batches =
      0;  // 0: the pipeline degree (keeps every stage busy with the fewest weight reads)
};

struct Plan {
  std::string name;
  std::string variant;                  // empty when the plan has none
  std::string model_path;               // resolved: openable from the working directory
  std::vector<std::string> model_sets;  // FIELD=VALUE overrides of the model's own fields
                                        // ("moe.top_k=1"): for read_model
  std::string platform_path;
  Layout layout;
  Batch batch;
  Bytes communication_buffers;  // per GPU, what the communication library reserves
  std::map<std::string, std::string>
      collectives;  // operation to algorithm; one not there: automatic
  NetworkLevelName network = NetworkLevelName::kFluid;
  unsigned long long seed = 0;
  FieldLocations where;
};

}  // namespace rehearse
