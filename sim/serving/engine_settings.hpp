// What an engine is told, by whatever name it gives it, and what it takes where nothing is said.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"
#include "serving/request.hpp"
#include "serving/step.hpp"

namespace rehearse::serving {

enum class QueueOrder { kArrival, kPriority };
enum class CapacityPolicy { kGuaranteedNoEvict, kMaxUtilization };  // TensorRT-LLM's

// Drafts that a small model or extra heads propose and the next step verifies.
struct Speculation {
  int drafts = 0;  // of each step; 0: none
  // How likely each is accepted when those before it were; the last one holds for those behind.
  std::vector<double> acceptance = {};
  std::uint64_t seed = 0;
  // Instead of a draw: how many are accepted in a request's first, second, ... step with drafts.
  std::vector<int> accepted = {};
};

// What the processor of the host does before a step can start.
struct HostTime {
  Picoseconds step = 0;
  Picoseconds request = 0;  // for each request in the step
};

struct EngineSettings {
  std::string_view scheduler = "vllm";
  int max_tokens = 8192;    // of a step: vLLM's budget, SGLang's chunk, TensorRT-LLM's limit
  int max_sequences = 256;  // that run at once
  bool chunked_prefill = true;
  bool prefix_cache = true;
  int block_tokens = 16;
  int kv_blocks = 0;      // that requests can have: vLLM's null block is not among them
  int max_model_len = 0;  // prompt and output of a request; 0: no limit
  QueueOrder order = QueueOrder::kArrival;

  bool asynchronous = false;  // a step is scheduled while the one before runs
  int stages = 1;             // of the pipeline, each with a step in flight
  HostTime host;
  GraphSizes graph_sizes = {};
  Speculation speculation;
  // Ranks that share experts step together, and ask each other so rarely whether work is left.
  int ranks = 1;
  int steps_between_checks = 32;
  bool skip_repeated_steps = true;  // the same dates; see engine.hpp

  // vLLM
  bool reserve_full_prompt = true;
  double watermark = 0;            // of the blocks, kept free when others run
  int long_prefill_threshold = 0;  // tokens of one request in a step; 0: no limit
  // SGLang
  int max_prefill_tokens = 16384;
  double conservativeness = 1;
  bool mixed_chunk = false;
  // Of a decode pool: room for so many tokens is left to each request with memory when another gets
  // it (--num-reserved-decode-tokens).
  int reserved_decode_tokens = 512;
  // TensorRT-LLM
  CapacityPolicy capacity = CapacityPolicy::kGuaranteedNoEvict;

  int steps_in_flight() const { return stages > 1 ? stages : asynchronous ? 2 : 1; }
};

// What decides an engine's own choices.
struct EngineSite {
  Bytes gpu_memory;
  bool is_a100 = false;
  bool offline = false;  // vLLM's LLM class, not its server
};

// REQUIRES: a scheduler of that name. kv_blocks is left to whoever knows weights and memory.
EngineSettings default_settings(std::string_view scheduler, const EngineSite& site);

// SGLang's mem_fraction_static, to three digits (PR 10975); gpu_memory in whole MiB.
double sglang_memory_fraction(std::int64_t gpu_memory_mib, int chunk, int tensor, int pipeline,
                              int largest_graph);

// Why no engine runs like that; empty: one does.
std::string refusal(const EngineSettings& settings);

}  // namespace rehearse::serving
