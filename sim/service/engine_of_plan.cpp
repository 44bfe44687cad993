// The pool of keys and values is what vLLM's profile run leaves of the memory that it may use:
// weights, the activations of the largest pass, and what the communication library holds
// (vllm/v1/worker/gpu_worker.py, determine_available_memory). What sequences keep whatever their
// length (states, windows) is set aside for as many as may run at once.
#include "service/engine_of_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "graph/workload_graph.hpp"
#include "layout/layout.hpp"
#include "layout/memory_rule.hpp"
#include "model/attention_kind.hpp"
#include "program/stage_weights.hpp"
#include "routing/expected_loads.hpp"
#include "routing/token_routing.hpp"
#include "service/room_advice.hpp"
#include "serving/scheduler.hpp"

namespace rehearse {
namespace {

constexpr double kMiB = 1024.0 * 1024;

template <class Value, class Chosen>
void take(const std::optional<Chosen>& chosen, Value& setting) {
  if (chosen) setting = static_cast<Value>(*chosen);
}

// The GPU with the least memory among so many.
const Device& smallest_gpu(const Platform& platform, int first, int gpus) {
  const Device* smallest = nullptr;
  const int end = std::min(first + gpus, static_cast<int>(platform.gpus.size()));
  for (int gpu = first; gpu < end; ++gpu) {
    const Device& its = platform.device_of(gpu);
    if (smallest == nullptr || its.memory < smallest->memory) smallest = &its;
  }
  SIM_CHECK(smallest != nullptr, "a plan without GPUs");
  return *smallest;
}

void take_choice(const EngineChoice& choice, serving::EngineSettings& settings) {
  take(choice.max_tokens_per_pass, settings.max_tokens);
  take(choice.max_sequences, settings.max_sequences);
  take(choice.max_model_len, settings.max_model_len);
  take(choice.chunked_prefill, settings.chunked_prefill);
  take(choice.prefix_cache, settings.prefix_cache);
  take(choice.block_tokens, settings.block_tokens);
  take(choice.asynchronous, settings.asynchronous);
  if (choice.by_priority.value_or(false)) settings.order = serving::QueueOrder::kPriority;
  if (choice.max_utilization.value_or(false)) {
    settings.capacity = serving::CapacityPolicy::kMaxUtilization;
  }
  if (choice.host_per_step || choice.host_per_request) settings.host = {};
  if (choice.host_per_step) settings.host.step = serving::to_picoseconds(*choice.host_per_step);
  if (choice.host_per_request)
    settings.host.request = serving::to_picoseconds(*choice.host_per_request);
  if (choice.speculative) {
    settings.speculation.drafts = choice.speculative->tokens;
    settings.speculation.acceptance = choice.speculative->acceptance;
  }
}

bool drafts_on(int stage, const Plan& plan, const Model& model) {
  return stage + 1 == plan.layout.pipeline && drafts_by_prediction(plan.serve->engine, model);
}

// Whose memory is shared out.
struct Replica {
  const Plan& plan;
  const EngineChoice& choice;
  const Model& model;
  const Device& gpu;                   // the one with the least memory
  std::optional<ExpectedLoads> loads;  // nothing: experts are loaded evenly
};

// The largest that are alive at once; where experts are not loaded evenly, on the rank of the
// busiest ones.
Bytes live_bytes(const Replica& replica, const PassShape& shape) {
  const WorkloadGraph graph = build_pass(replica.model, replica.plan.layout, shape);
  if (!replica.loads) return graph.peak_live_bytes();
  const ExpectedLoads& loads = *replica.loads;
  const double sent = shape.group_tokens / loads.members() * loads.top_k();
  const double computed =
      shape.group_tokens * loads.largest(shape.layers.first, shape.layers.count);
  Bytes most;
  for (const LiveBytes& live : graph.peak_live_copies()) {
    most = std::max(most, live.with(sent, computed));
  }
  return most;
}

Bytes activations_of(const Replica& replica, int stage, const serving::EngineSettings& settings) {
  const Model& model = replica.model;
  const Plan& plan = replica.plan;
  const int tokens = settings.max_tokens;
  const double sequences = std::min(settings.max_sequences, tokens);
  PassShape shape;
  shape.slices = {{sequences, std::floor(tokens / sequences), 0}};
  shape.group_tokens = model.moe ? shape.tokens() * settings.ranks : 0;
  shape.layers = stage_layers(plan.layout, model.layers)[stage];
  shape.stage = stage;
  const Bytes of_pass = live_bytes(replica, shape);
  if (!drafts_on(stage, plan, model)) return of_pass;
  shape.drafts = true;
  shape.layers = {model.layers, static_cast<int>(model.prediction->of_each.size())};
  return std::max(of_pass, live_bytes(replica, shape));
}

// Blocks of the stage's GPUs.
double blocks_of(const Replica& replica, int stage, double fraction,
                 const serving::EngineSettings& settings, KvRoom& room) {
  const Model& model = replica.model;
  const Plan& plan = replica.plan;
  const Share layers = stage_layers(plan.layout, model.layers)[stage];
  SequenceCache cache = sequence_cache(model, layers.first, layers.count, plan.layout.tensor);
  room.fraction = fraction;
  room.usable = replica.gpu.memory * fraction;
  room.weights = weights_of_stage(model, plan, stage);
  if (drafts_on(stage, plan, model)) {
    room.prediction = weights_of_prediction(model, plan);
    room.weights += room.prediction;
    cache.add(sequence_cache(model, model.layers, model.prediction_layers(), plan.layout.tensor),
              1);
  }
  room.activations = activations_of(replica, stage, settings);
  room.buffers = plan.communication_buffers;
  room.left = room.usable - room.weights - room.activations - room.buffers;
  Bytes of_sequence = cache.state;
  for (const SequenceCache::Window& window : cache.windows) {
    of_sequence += window.each * window.tokens;
  }
  room.states = of_sequence * settings.max_sequences;
  room.block = (cache.token + cache.index) * settings.block_tokens;
  const double most = std::numeric_limits<int>::max();
  if (room.left < room.states) return 0;
  if (room.block.value <= 0) return most;  // nothing grows with the tokens
  return std::min(most, std::floor((room.left - room.states) / room.block));
}

double memory_fraction(const Plan& plan, const EngineChoice& choice, const Device& gpu,
                       const serving::EngineSettings& settings) {
  if (choice.memory_fraction) return *choice.memory_fraction;
  if (plan.default_memory_fraction && settings.scheduler == "sglang") {
    constexpr int kLargestGraph = 256;  // server_args.py: cuda_graph_max_bs of large GPUs
    return serving::sglang_memory_fraction(static_cast<std::int64_t>(gpu.memory.value / kMiB),
                                           settings.max_tokens, plan.layout.tensor,
                                           plan.layout.pipeline, kLargestGraph);
  }
  return plan.memory_fraction;
}

// Where the plan leaves it open, so many run at once that what they keep whatever their length is
// at most half of the room: the other half is for tokens. (Engines divide it by rules of their
// own.)
void limit_sequences(const Replica& replica, serving::EngineSettings& settings) {
  if (replica.choice.max_sequences) return;
  const double fraction = memory_fraction(replica.plan, replica.choice, replica.gpu, settings);
  for (int stage = 0; stage < replica.plan.layout.pipeline; ++stage) {
    KvRoom room;
    blocks_of(replica, stage, fraction, settings, room);
    while (room.states > room.left * 0.5 && settings.max_sequences > 1) {
      settings.max_sequences /= 2;
      blocks_of(replica, stage, fraction, settings, room);
    }
  }
}

// What lacks where there is no room for a block; empty: there is.
std::string size_pool(const Replica& replica, PlannedEngine& planned) {
  const Plan& plan = replica.plan;
  const EngineChoice& choice = replica.choice;
  const Device& gpu = replica.gpu;
  const double fraction = memory_fraction(plan, choice, gpu, planned.settings);
  double least = std::numeric_limits<double>::infinity();
  int fullest = 0;  // stage
  for (int stage = 0; stage < plan.layout.pipeline; ++stage) {
    KvRoom room;
    const double blocks = blocks_of(replica, stage, fraction, planned.settings, room);
    // Of stages without room the one that lacks most.
    const bool lacks_more = blocks == 0 && least == 0 &&
                            room.left - room.states < planned.room.left - planned.room.states;
    if (blocks >= least && !lacks_more) continue;
    least = blocks;
    fullest = stage;
    planned.room = room;
  }
  if (choice.kv_blocks) {
    planned.settings.kv_blocks = *choice.kv_blocks;
    return {};
  }
  // vLLM's null block is none that requests can have.
  const int reserved = planned.settings.scheduler == "vllm" ? 1 : 0;
  planned.settings.kv_blocks = static_cast<int>(least) - reserved;
  if (planned.settings.kv_blocks >= 1) return {};
  const KvRoom& room = planned.room;
  return fmt::format(
      "does not fit in memory: no room for keys and values: of {} usable ({:.2f} of {}){} "
      "weights take {}, activations of {} tokens {}, communication {}, states of {} sequences {}; "
      "{} more would hold the first block of {} tokens",
      to_text(room.usable), room.fraction, to_text(gpu.memory),
      plan.layout.pipeline > 1 ? fmt::format(" on a GPU of stage {}", fullest) : "",
      to_text(room.weights), planned.settings.max_tokens, to_text(room.activations),
      to_text(room.buffers), planned.settings.max_sequences, to_text(room.states),
      to_text(room.states + room.block * (1 + reserved) - room.left),
      planned.settings.block_tokens);
}

// What drafts has to be there, and to come out even on the layout's ranks.
void check_drafts(const Plan& plan, const EngineChoice& choice, const Model& model,
                  const std::string& field) {
  if (!choice.speculative) return;
  const std::string path = field + ".speculative";
  if (choice.speculative->looked_up == false && !model.prediction) {
    throw InputError(plan.where.at(path + ".method"),
                     fmt::format("{}.method = \"mtp\": the model {} has no layers that predict "
                                 "further tokens; \"ngram\" is a lookup that takes no time",
                                 path, model.name));
  }
  if (!drafts_by_prediction(choice, model)) return;
  for (const LayerKind& kind : model.prediction->of_each) {
    if (kind.attention == LayerKind::kNone) continue;
    const Attention& attention = model.attention[kind.attention];
    const std::string refusal = kind_of(attention).refusal(attention, plan.layout.tensor);
    if (refusal.empty()) continue;
    throw InputError(plan.where.at(path),
                     fmt::format("{}: the layers that predict: {}", path, refusal));
  }
}

}  // namespace

void check_scheduler(const Plan& plan, const EngineChoice& choice, const std::string& field) {
  if (serving::scheduler_named(choice.name) != nullptr) return;
  throw InputError(
      plan.where.at(field + ".name"),
      fmt::format("{}.name = \"{}\": {}, or of those that `rehearse engines` lists", field,
                  choice.name, name_rule(choice.name, serving::names_of_schedulers())));
}

std::vector<int> nodes_of_ranks(const Layout& layout, const Platform& platform, int first_gpu) {
  std::vector<int> nodes;
  nodes.reserve(layout.gpus());
  for (int rank = 0; rank < layout.gpus(); ++rank) {
    nodes.push_back(platform.gpus[first_gpu + rank].domain);
  }
  return nodes;
}

namespace {

// What it lacks, as size_pool says it; empty: nothing.
std::string plan_engine(const Plan& plan, const EngineChoice& choice, const Model& model,
                        const Platform& platform, const std::string& field, int first_gpu,
                        PlannedEngine& planned) {
  check_scheduler(plan, choice, field);
  check_drafts(plan, choice, model, field);
  const Device& gpu = smallest_gpu(platform, first_gpu, plan.serve->gpus(plan.layout));
  planned.drafts_by_prediction = drafts_by_prediction(choice, model);
  serving::EngineSettings& settings = planned.settings;
  settings =
      serving::default_settings(choice.name, {gpu.memory, gpu.gpu.starts_with("a100"), false});
  // Of a price for tests, nothing is hidden behind it, and the host's time is in it.
  if (choice.step_time) {
    settings.asynchronous = false;
  } else {
    const EngineTimes& times = plan.engine.times;
    settings.host = {serving::to_picoseconds(times.scheduler_per_step),
                     serving::to_picoseconds(times.scheduler_per_request)};
  }
  take_choice(choice, settings);
  // vLLM asks for a token at least for each sequence.
  if (!choice.max_sequences) {
    settings.max_sequences = std::min(settings.max_sequences, settings.max_tokens);
  }
  settings.stages = plan.layout.pipeline;
  settings.ranks = model.moe ? plan.layout.expert : 1;
  settings.speculation.seed = plan.seed;
  Replica replica{plan, choice, model, gpu, {}};
  if (routes_tokens(plan, model)) {
    replica.loads.emplace(model, plan, nodes_of_ranks(plan.layout, platform, first_gpu));
  }
  limit_sequences(replica, settings);
  settings.graph_sizes.clear();
  if (choice.cuda_graphs.value_or(false) && settings.scheduler != "vllm") {
    throw InputError(plan.where.at(field + ".cuda_graphs"),
                     fmt::format("{}.cuda_graphs: the sizes that {} captures are not modelled",
                                 field, settings.scheduler));
  }
  if (settings.scheduler == "vllm" && choice.cuda_graphs.value_or(!choice.step_time)) {
    settings.graph_sizes = serving::vllm_graph_sizes(settings.max_sequences, settings.max_tokens,
                                                     settings.speculation.drafts);
  }
  std::string lacking = size_pool(replica, planned);
  const std::string why_not = lacking.empty() ? serving::refusal(settings) : "";
  if (!why_not.empty()) {
    throw InputError(plan.where.at(field), fmt::format("{}: {}", field, why_not));
  }
  return lacking;
}

}  // namespace

PlannedEngine engine_of(const Plan& plan, const EngineChoice& choice, const Model& model,
                        const Platform& platform, const std::string& field, int first_gpu) {
  PlannedEngine planned;
  const std::string lacking = plan_engine(plan, choice, model, platform, field, first_gpu, planned);
  if (lacking.empty()) return planned;
  throw DoesNotFit(plan.where.at(field), fmt::format("{}: {}", field, lacking));
}

PlannedEngine advised_engine_of(const Plan& plan, const EngineChoice& choice, const Model& model,
                                const Platform& platform, const std::string& field, int first_gpu) {
  PlannedEngine planned;
  const std::string lacking = plan_engine(plan, choice, model, platform, field, first_gpu, planned);
  if (lacking.empty()) return planned;
  throw DoesNotFit(plan.where.at(field),
                   fmt::format("{}: {}; {}", field, lacking,
                               room_advice(plan, choice, model, platform, field, first_gpu)));
}

}  // namespace rehearse
