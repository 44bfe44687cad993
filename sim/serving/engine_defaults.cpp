// Defaults of each engine, in one place each, as the engine has them for a GPU. Only what differs
// from the members' initial values is set.
#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "serving/engine_settings.hpp"
#include "serving/scheduler.hpp"

namespace rehearse::serving {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr double kGB = 1e9;

// EngineArgs.get_batch_defaults: vllm/engine/arg_utils.py, by memory of at least 70 GiB, A100
// excepted (PR 17885); CacheConfig.block_size 16; asynchronous since 0.14.0; graphs of
// CompilationConfig.
EngineSettings vllm(const EngineSite& site) {
  const bool large = site.gpu_memory.value >= 70 * kGiB && !site.is_a100;
  EngineSettings settings;
  settings.max_tokens = large ? (site.offline ? 16384 : 8192) : (site.offline ? 8192 : 2048);
  settings.max_sequences = large ? 1024 : 256;
  settings.asynchronous = true;
  settings.graph_sizes = vllm_graph_sizes(settings.max_sequences, settings.max_tokens, 0);
  return settings;
}

// chunked_prefill_size by memory and max_prefill_tokens of server_args.py (PR 10975; memory as
// nvidia-smi's MiB over 1000 there), page_size 1, overlap schedule on. How many requests run at
// once depends on the pool there: whoever knows it sets max_sequences.
EngineSettings sglang(const EngineSite& site) {
  const double gb = site.gpu_memory.value / kGB;
  EngineSettings settings;
  settings.max_tokens = gb <= 0 ? 4096 : gb < 35 ? 2048 : gb < 160 ? 8192 : 16384;
  settings.max_sequences = 4096;
  settings.block_tokens = 1;
  settings.asynchronous = true;
  return settings;
}

// docs and tensorrt_llm/builder.py at 1.4.0rc4: max_num_tokens 8192, max_batch_size 2048, 32 tokens
// in a block, GUARANTEED_NO_EVICT, overlap scheduler on, chunked context off.
EngineSettings tensorrt_llm(const EngineSite& /*site*/) {
  EngineSettings settings;
  settings.max_sequences = 2048;
  settings.block_tokens = 32;
  settings.chunked_prefill = false;
  settings.asynchronous = true;
  return settings;
}

// No engine of today: Yu et al. 2022 (Orca), section 3.
EngineSettings static_batches(const EngineSite& /*site*/) {
  EngineSettings settings;
  settings.chunked_prefill = false;
  settings.prefix_cache = false;
  return settings;
}

}  // namespace

EngineSettings default_settings(std::string_view scheduler, const EngineSite& site) {
  const SchedulerKind* kind = scheduler_named(scheduler);
  SIM_CHECK(kind != nullptr, "no scheduler of that name");
  EngineSettings settings = scheduler == "vllm"           ? vllm(site)
                            : scheduler == "sglang"       ? sglang(site)
                            : scheduler == "tensorrt_llm" ? tensorrt_llm(site)
                                                          : static_batches(site);
  settings.scheduler = kind->name;
  return settings;
}

double sglang_memory_fraction(std::int64_t gpu_memory_mib, int chunk, int tensor, int pipeline,
                              int largest_graph) {
  constexpr double kMetadata = 512;      // MiB
  constexpr int kLeastChunk = 2048;      // tokens
  constexpr double kOfChunkToken = 1.5;  // MiB
  constexpr double kOfRank = 128;        // MiB
  constexpr double kOfGraphRequest = 2;  // MiB
  constexpr double kLarge = 60 * 1024;   // MiB
  constexpr double kLeastOfLarge = 10 * 1024;
  double reserved = kMetadata + kOfChunkToken * std::max(chunk, kLeastChunk) +
                    kOfRank * tensor * pipeline + kOfGraphRequest * largest_graph;
  if (static_cast<double>(gpu_memory_mib) > kLarge) reserved = std::max(reserved, kLeastOfLarge);
  const double fraction =
      (static_cast<double>(gpu_memory_mib) - reserved) / static_cast<double>(gpu_memory_mib);
  return std::round(fraction * 1000) / 1000;
}

std::string refusal(const EngineSettings& settings) {
  const SchedulerKind* kind = scheduler_named(settings.scheduler);
  if (kind == nullptr) return "no scheduler of that name: " + names_of_schedulers();
  if (settings.kv_blocks < 1) return "a pool of no blocks";
  if (settings.block_tokens < 1 || settings.max_sequences < 1 || settings.max_tokens < 1) {
    return "blocks, sequences and tokens of a step are at least 1";
  }
  if (settings.ranks < 1 || settings.stages < 1 || settings.steps_between_checks < 1) {
    return "ranks, stages and steps between checks are at least 1";
  }
  if (settings.speculation.drafts < 0) return "drafts are at least 0";
  const bool evicts = settings.capacity == CapacityPolicy::kMaxUtilization;
  if (evicts && settings.scheduler != "tensorrt_llm") return "capacity is a policy of TensorRT-LLM";
  if (settings.reserved_decode_tokens < 0) return "tokens left to a request are at least 0";
  return kind->refusal(settings);
}

}  // namespace rehearse::serving
