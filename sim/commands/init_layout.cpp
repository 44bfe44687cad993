// A copy of the model gets as few GPUs as have room for it: copies side by side share no links, and
// serve more than one that is cut finer. Sizes are tried from one GPU on, within a server first,
// because tensor ranks talk at every layer; of several servers a stage, or a part of the experts,
// has one. Tensor ranks beyond the key-value heads would hold copies of keys and values; experts
// are then dealt to groups of them, each with requests of its own.
#include "commands/init_layout.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "layout/layout.hpp"
#include "layout/memory_rule.hpp"
#include "layout/prefill_passes.hpp"
#include "model/attention_kind.hpp"
#include "program/lower.hpp"
#include "program/program_memory.hpp"
#include "service/engine_of_plan.hpp"

namespace rehearse {
namespace {

// That a proposal may grow to.
constexpr int kMostNodes = 64;

std::vector<int> divisors_of(int number) {
  std::vector<int> found;
  for (int each = 1; each <= number; ++each) {
    if (number % each == 0) found.push_back(each);
  }
  return found;
}

// Sizes of a copy: parts of a node, then whole nodes.
std::vector<int> sizes_of(int per_node, int most) {
  std::vector<int> sizes;
  for (const int part : divisors_of(per_node)) {
    if (part <= most) sizes.push_back(part);
  }
  for (int nodes = 2; nodes * per_node <= most && nodes <= kMostNodes; ++nodes) {
    sizes.push_back(nodes * per_node);
  }
  return sizes;
}

Bytes cache_of(const SequenceCache& cache, double tokens) {
  return cache.keys_and_values(1, tokens) + cache.index * tokens + cache.state;
}

int longest_request(const Plan& plan) {
  const auto most = [](const LengthLaw& law) {
    return static_cast<int>(law.tokens * (1 + law.range.value_or(0)));
  };
  if (!plan.serve) return plan.batch.prompt_tokens + plan.batch.output_tokens;
  return most(plan.serve->law->prompt) + most(plan.serve->law->output);
}

class Chooser {
 public:
  Chooser(const Plan& plan, const Model& model, const InitSite& site)
      : plan_(plan), model_(model), site_(site) {}

  InitLayout choose() const {
    const std::vector<int> sizes = sizes_of(site_.per_node, site_.gpus);
    InitLayout answer;
    for (const int requests : {kInitRequests, 1}) {
      answer.smaller.clear();
      for (const int size : sizes) {
        const std::optional<InitCopy> copy = best_of(size);
        if (!copy) continue;
        answer.best_of_site = *copy;
        if (copy->memory.holds(requests)) {
          answer.chosen = copy;
          return answer;
        }
        answer.smaller.push_back(*copy);
      }
    }
    answer.fewest = fewest_beyond();
    return answer;
  }

 private:
  std::optional<InitCopy> fewest_beyond() const {
    const int node = site_.whole_node;
    const InitSite larger{site_.gpu, node, node * kMostNodes, node};
    const Chooser chooser(plan_, model_, larger);
    for (const int size : sizes_of(node, larger.gpus)) {
      if (size <= site_.gpus) continue;
      std::optional<InitCopy> copy = chooser.best_of(size);
      if (copy && copy->memory.holds(1)) return copy;
    }
    return {};
  }

  // Of so many GPUs, the first legal layout in the order of preference; the one with the least
  // memory of a GPU where that has no room for enough requests.
  std::optional<InitCopy> best_of(int size) const {
    std::optional<InitCopy> best;
    for (const Layout& layout : layouts_of(size)) {
      Plan plan = plan_;
      plan.layout = layout;
      if (!plan.serve) plan.batch.sequences = kInitRequests * layout.dense_data();
      if (!layout_refusal(plan, model_, size, "").empty()) continue;
      InitCopy copy{layout, memory_of_copy(plan)};
      if (copy.memory.holds(kInitRequests)) return copy;
      if (!best || copy.memory.needed(1) < best->memory.needed(1)) best = copy;
    }
    return best;
  }

  // In the order of preference.
  std::vector<Layout> layouts_of(int size) const {
    const int within = std::min(size, site_.per_node);
    std::vector<Layout> layouts;
    const int preferred = model_.moe ? tensor_without_copies(model_, within) : within;
    std::vector<int> tensors = divisors_of(within);
    std::reverse(tensors.begin(), tensors.end());
    std::stable_partition(tensors.begin(), tensors.end(),
                          [&](int tensor) { return tensor <= preferred; });
    for (const int tensor : tensors) {
      if (size % tensor != 0) continue;
      if (model_.moe) {
        add_experts(tensor, size / tensor, layouts);
      } else {
        layouts.push_back(of_degrees(tensor, size / tensor, 1, 0));
      }
    }
    if (!model_.moe) return layouts;
    for (const int tensor : tensors) {
      layouts.push_back(of_degrees(tensor, size / tensor, 1, tensor > 1 ? 1 : 0));
    }
    return layouts;
  }

  // Experts whole where they can be dealt so.
  void add_experts(int tensor, int expert, std::vector<Layout>& layouts) const {
    if (tensor > 1 && model_.moe->experts % (tensor * expert) == 0) {
      layouts.push_back(of_degrees(tensor, 1, expert, 1));
    }
    layouts.push_back(of_degrees(tensor, 1, expert, 0));
  }

  static Layout of_degrees(int tensor, int pipeline, int expert, int expert_tensor) {
    Layout layout;
    layout.tensor = tensor;
    layout.pipeline = pipeline;
    layout.expert = expert;
    layout.expert_tensor = expert_tensor;
    return layout;
  }

  InitMemory memory_of_copy(const Plan& plan) const {
    const Platform platform = bare_platform(site_, plan.layout.gpus());
    return plan.serve ? memory_of_service(plan, platform) : memory_of_batch(plan, platform);
  }

  InitMemory memory_of_service(Plan plan, const Platform& platform) const {
    EngineChoice choice = plan.serve->engine;
    choice.kv_blocks = 1;  // whatever there is room for
    plan.serve->replicas = 1;
    const PlannedEngine engine = engine_of(plan, choice, model_, platform, "serve.engine");
    const KvRoom& room = engine.room;
    InitMemory memory;
    memory.usable = room.usable;
    memory.weights = room.weights;
    memory.activations = room.activations;
    memory.buffers = room.buffers;
    memory.cache_of_request = largest_cache(plan);
    return memory;
  }

  Bytes largest_cache(const Plan& plan) const {
    Bytes most;
    for (const Share& layers : stage_layers(plan.layout, model_.layers)) {
      most = std::max(
          most, cache_of(sequence_cache(model_, layers.first, layers.count, plan.layout.tensor),
                         longest_request(plan)));
    }
    return most;
  }

  InitMemory memory_of_batch(Plan plan, const Platform& platform) const {
    choose_prefill_passes(plan);
    const Bytes capacity = platform.devices.front().memory;
    InitMemory fullest;
    const Programs programs = lower(model_, plan);
    for (const Program& program : programs.programs) {
      const ProgramMemory held = memory_of(programs, program);
      InitMemory memory;
      memory.usable = usable_memory(capacity, plan);
      memory.weights = held.weights;
      memory.cache_of_request = held.kv_cache / kInitRequests;
      memory.activations = held.activations;
      memory.buffers = held.communication_buffers;
      if (memory.needed(kInitRequests) > fullest.needed(kInitRequests)) fullest = memory;
    }
    return fullest;
  }

  const Plan& plan_;
  const Model& model_;
  const InitSite& site_;
};

}  // namespace

int InitMemory::requests() const {
  const double left = (usable - needed(0)).value;
  if (left < 0) return -1;
  const double most = std::numeric_limits<int>::max();
  if (cache_of_request.value <= 0) return std::numeric_limits<int>::max();
  return static_cast<int>(std::min(most, std::floor(left / cache_of_request.value)));
}

int tensor_without_copies(const Model& model, int most) {
  const auto held_by_all = [&](int tensor) {
    return kv_bytes_per_token(model, 0, model.layers, tensor).value * tensor;
  };
  int best = 1;
  for (const int tensor : divisors_of(most)) {
    bool legal = true;
    for (const Attention& attention : model.attention) {
      legal = legal && kind_of(attention).refusal(attention, tensor).empty();
    }
    if (legal && held_by_all(tensor) <= held_by_all(1) * (1 + 1e-9)) best = tensor;
  }
  return best;
}

Platform bare_platform(const InitSite& site, int gpus) {
  Device device;
  device.memory = Bytes{site.gpu.at(FigureId::kMemoryCapacity).value};
  device.gpu = site.gpu.name;
  Platform platform;
  platform.devices = {device};
  for (int gpu = 0; gpu < gpus; ++gpu) {
    platform.gpus.push_back({"gpu" + std::to_string(gpu), 0, gpu / site.per_node, ""});
  }
  return platform;
}

InitLayout choose_layout(const Plan& plan, const Model& model, const InitSite& site) {
  return Chooser(plan, model, site).choose();
}

}  // namespace rehearse
