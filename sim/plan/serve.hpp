// The job of a plan that serves requests as they arrive: which come, what serves them, and what
// they may take. As its author wrote it; where he says nothing, the engine decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "plan/layout.hpp"
#include "plan/traffic_law.hpp"

namespace rehearse {

struct Request {
  Seconds arrival;  // from that of the first; of a turn that continues another: of its session
  int prompt_tokens = 1;
  int output_tokens = 1;
  Seconds in_trace = {};  // the date that the trace gives it
  int priority = 0;       // lower is served first, by engines that heed it
  // Of its prompt, each of so many tokens as the trace says: equal numbers stand for equal prompts
  // up to there. Empty: nothing is known of shared prefixes.
  std::vector<std::int64_t> blocks = {};
  bool blocks_of_output = false;  // they go on over its output
  // A turn of a session: it arrives `think` after another request, its place in the list, has
  // ended.
  int after = -1;
  Seconds think = {};
};

// A pass's price for tests, in place of the model's on the platform.
struct StepTime {
  Seconds fixed;
  Seconds per_token;    // executed ones
  Seconds per_context;  // for each token that is there already
};

// Tokens that are proposed behind a pass and that the next one verifies.
struct SpeculativeChoice {
  int tokens = 1;                       // of each pass
  std::vector<double> acceptance = {};  // by position, the last for those behind; of each, if those
                                        // before it were accepted
  // By a lookup of n-grams in the text so far; else by the model's own prediction. Absent: by that
  // where the model has one.
  std::optional<bool> looked_up = {};
};

// What an engine is told; absent: its own default (serving/engine_settings.hpp).
struct EngineChoice {
  std::string name;  // serving/scheduler.hpp
  std::optional<int> max_tokens_per_pass;
  std::optional<int> max_sequences;  // that a replica serves at once
  std::optional<int> max_model_len;
  std::optional<bool> chunked_prefill;
  std::optional<bool> prefix_cache;
  std::optional<bool> asynchronous;
  std::optional<bool> cuda_graphs;  // pads decodes to the sizes that graphs are captured for
  std::optional<double> memory_fraction;
  std::optional<int> block_tokens;
  std::optional<int> kv_blocks;  // in place of what the memory has room for
  std::optional<bool> by_priority;
  std::optional<bool> max_utilization;  // TensorRT-LLM's capacity policy
  std::optional<SpeculativeChoice> speculative;
  std::optional<Seconds> host_per_step;
  std::optional<Seconds> host_per_request;
  std::optional<StepTime> step_time;
  bool log_steps = false;
};

// Replicas that only prefill, or only decode.
struct ServingPool {
  Layout layout;
  int replicas = 1;
  EngineChoice engine;
};

// How keys and values get from a prefill replica to a decode replica.
enum class KvTransfer : std::uint8_t {
  kPull,  // the decode replica fetches them when the prompt is done, and computes its last token
          // again (vLLM with NIXL)
  kPush,  // the prefill replica sends each chunk as it is done; the first token comes with the last
          // (SGLang with Mooncake)
};

struct ServingPools {
  ServingPool prefill;
  ServingPool decode;
  KvTransfer transfer = KvTransfer::kPull;
};

// Service-level objective: so large a share of the requests within all of these.
struct Slo {
  std::optional<Seconds> ttft;
  std::optional<Seconds> tpot;
  double quantile = 0.99;
};

struct Serve {
  std::string trace_path;              // resolved; empty: requests come by
  std::optional<TrafficLaw> law;       // this
  std::vector<Request> requests = {};  // in order of arrival
  int block_tokens = 512;              // that each of a request's blocks stands for
  int concurrency = 0;  // so many requests at a time, each as soon as one has ended; 0: they come
                        // when they come
  Seconds warm_up;      // of requests that arrive before only what they get later counts, in rates
  EngineChoice engine;  // of each replica, where there are no pools
  int replicas = 1;     // of the plan's layout
  std::string router = "round_robin";  // serving/router.hpp
  std::optional<ServingPools> pools;   // instead of replicas
  std::optional<Slo> slo;

  // Of all pools, by the plan's own layout.
  int gpus(const Layout& layout) const {
    if (!pools) return replicas * layout.gpus();
    return pools->prefill.replicas * pools->prefill.layout.gpus() +
           pools->decode.replicas * pools->decode.layout.gpus();
  }
};

}  // namespace rehearse
