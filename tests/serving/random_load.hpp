// Requests and engines drawn at random, small enough that all limits are met often.
#pragma once

#include <string_view>
#include <vector>

#include "base/random_stream.hpp"
#include "small_service.hpp"

namespace rehearse::serving {

inline int between(RandomStream& draws, int least, int most) {
  return least + draws.below(most - least + 1);
}

inline bool sometimes(RandomStream& draws) { return draws.below(2) == 0; }

// Prompts of four families that share their beginnings; every fourth request is a turn of a
// session.
inline std::vector<Offered> random_requests(RandomStream& draws) {
  std::vector<Offered> offered;
  const int count = between(draws, 1, 30);
  const int gap = between(draws, 0, 60);
  Picoseconds now = 0;
  for (int request = 0; request < count; ++request) {
    Offered its = asks(between(draws, 1, 40), between(draws, 1, 24), now);
    its.priority = draws.below(3);
    const std::uint64_t family = draws.below(4);
    its.id_tokens = static_cast<int>(4 + 4 * family);
    its.ids_of_output = draws.below(6) == 0;
    const int described = its.ids_of_output ? its.length() : its.prompt;
    for (int at = 0; at * its.id_tokens < described; ++at) {
      its.prefix_ids.push_back(family * 1000 + static_cast<std::uint64_t>(at));
    }
    if (family == 3) its.prefix_ids.clear();
    if (request > 0 && draws.below(4) == 0) {
      its.after = draws.below(request);
      its.think = draws.below(40) * kMs;
    }
    offered.push_back(its);
    if (!sometimes(draws)) now += static_cast<Picoseconds>(draws.uniform() * gap * kMs);
  }
  return offered;
}

inline ServiceSettings random_service(RandomStream& draws, std::string_view scheduler) {
  ServiceSettings settings = small_engine(scheduler);
  EngineSettings& engine = settings.engine;
  engine.max_sequences = between(draws, 1, 8);
  engine.block_tokens = between(draws, 1, 6);
  engine.max_tokens = between(draws, 2, 12) * 4;
  engine.kv_blocks = between(draws, 8, 60) * 4 / engine.block_tokens + 2;
  engine.host.step = draws.below(3) * kMs;
  engine.host.request = draws.below(2) * 100'000;
  engine.ranks = between(draws, 1, 2);
  engine.steps_between_checks = between(draws, 1, 5);
  engine.prefix_cache = scheduler != "static" && sometimes(draws);
  engine.asynchronous = scheduler != "static" && sometimes(draws);
  engine.chunked_prefill = scheduler != "static" && (scheduler != "vllm" || draws.below(4) > 0);
  if (sometimes(draws)) engine.graph_sizes = {1, 2, 4, 8};
  if (scheduler == "vllm") {
    engine.stages = between(draws, 1, 3);
    engine.order = sometimes(draws) ? QueueOrder::kArrival : QueueOrder::kPriority;
    engine.reserve_full_prompt = sometimes(draws);
    engine.watermark = sometimes(draws) ? 0 : 0.1;
    engine.long_prefill_threshold = sometimes(draws) ? 0 : 5;
  }
  if (scheduler == "sglang") {
    engine.max_tokens = between(draws, 1, 6) * engine.block_tokens * 2;
    engine.mixed_chunk = sometimes(draws);
    engine.max_prefill_tokens = 60;
    engine.conservativeness = 0.3 * between(draws, 1, 4);
  }
  if (scheduler == "tensorrt_llm") {
    engine.chunked_prefill = sometimes(draws) && engine.max_tokens >= engine.block_tokens;
    if (sometimes(draws)) engine.capacity = CapacityPolicy::kMaxUtilization;
  }
  settings.engines = between(draws, 1, 3);
  settings.router = routers()[static_cast<std::size_t>(draws.below(3))]->name;
  settings.concurrency = sometimes(draws) ? 0 : between(draws, 1, 6);
  return settings;
}

}  // namespace rehearse::serving
