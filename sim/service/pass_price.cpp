// Most steps decode: one pass is compiled for so many requests and asked at any step
// (step_pass.hpp). Steps with prompts, and decodes whose queries see limited keys, refill the
// attention of a pass that was compiled for as many tokens.
#include "service/pass_price.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.hpp"
#include "estimate/pass_paths.hpp"
#include "model/attention.hpp"
#include "program/compile_pass.hpp"
#include "program/lower.hpp"
#include "program/written_layers.hpp"

namespace rehearse {
namespace {

// Passes of so many shapes are kept. What they answer does not depend on it.
constexpr std::size_t kMostKept = 4096;

// A difference of equal sums may be below 0 by a rounding.
serving::Picoseconds duration(Seconds time) {
  SIM_CHECK(time.value > -1e-12 && time.value < 1e6, "a step of no time that can be counted");
  return serving::to_picoseconds(std::max(time, Seconds{}));
}

// What a rank executes of its own.
struct Passed {
  const PassProgram* program = nullptr;
  std::vector<Seconds> times;
};

// Passes that differ in more than amounts (a prefill beside decodes, where attention has other
// operators) do not wait for each other here: the slowest of them counts.
Seconds together(std::vector<Passed> passes) {
  Seconds slowest;
  while (!passes.empty()) {
    std::vector<const PassProgram*> programs;
    std::vector<std::span<const Seconds>> times;
    std::vector<Passed> others;
    for (Passed& pass : passes) {
      if (passes.front().times.size() == pass.times.size()) {
        programs.push_back(pass.program);
        times.emplace_back(pass.times);
      } else {
        others.push_back(std::move(pass));
      }
    }
    slowest = std::max(slowest, execute_together(programs, times));
    passes = std::move(others);
  }
  return slowest;
}

}  // namespace

PassPrice::PassPrice(const Plan& plan, const Model& model, Cluster& cluster,
                     std::vector<int> first_gpus)
    : model_(model),
      plan_(plan),
      first_gpus_(std::move(first_gpus)),
      grid_(plan.layout),
      layers_(stage_layers(plan.layout, model.layers)),
      kinds_(layer_kinds(model)),
      limited_(sees_limited_keys(model)),
      use_(collective_use(plan)),
      kinds_of_transfers_(cluster),
      transfers_(cluster),
      rates_(device_rates(cluster.platform(), plan.engine.times)) {
  for (int stage = 0; stage < plan.layout.pipeline; ++stage) {
    devices_.push_back(devices_of(stage, cluster.platform()));
  }
}

std::vector<const DeviceRates*> PassPrice::devices_of(int stage, const Platform& platform) const {
  std::set<const DeviceRates*> devices;
  for (Rank rank = 0; rank < grid_.size(); ++rank) {
    if (grid_.coordinates(rank).pipeline != stage) continue;
    for (const int first : first_gpus_) {
      devices.insert(&rates_[platform.gpus[first + rank].device]);
    }
  }
  return {devices.begin(), devices.end()};
}

Rank PassPrice::rank_at(int tensor, int expert, int data, int stage) const {
  Coordinates at;
  at.tensor = tensor;
  at.expert = expert;
  at.data = data;
  at.pipeline = stage;
  return grid_.rank(at);
}

// That of a rank. Experts that are not split are over all tensor ranks of their replicas.
std::vector<int> PassPrice::group(Axis axis, int first_gpu, const Coordinates& rank,
                                  int stage) const {
  const Layout& layout = plan_.layout;
  const bool tensor_group = axis == Axis::kTensor;
  const bool over_tensor = tensor_group || expert_tensor_degree(layout) == 1;
  const Share tensors = over_tensor ? Share{0, layout.tensor} : Share{rank.tensor, 1};
  const Share experts = tensor_group ? Share{rank.expert, 1} : Share{0, layout.expert};
  std::vector<int> gpus;
  for (int tensor = tensors.first; tensor < tensors.first + tensors.count; ++tensor) {
    for (int at = experts.first; at < experts.first + experts.count; ++at) {
      gpus.push_back(first_gpu + rank_at(tensor, at, rank.data, stage));
    }
  }
  std::sort(gpus.begin(), gpus.end());
  return gpus;
}

// Calls visit(first GPU of its copy, coordinates) for every rank of the first stage.
template <class Visit>
void PassPrice::for_each_rank(Visit visit) const {
  for (const int first : first_gpus_) {
    for (Rank rank = 0; rank < grid_.size(); ++rank) {
      const Coordinates at = grid_.coordinates(rank);
      if (at.pipeline == 0) visit(first, at);
    }
  }
}

const PassPrice::AllEnds& PassPrice::ends_of(int stage, const Instruction& collective) {
  const auto [at, is_new] =
      known_ends_.try_emplace({stage, collective.axis, collective.op, collective.fan_out.back});
  if (!is_new) return at->second;
  AllEnds& ends = at->second;
  std::set<int> kinds;
  const bool experts = collective.axis == Axis::kExpert;
  const bool over_tensor = !experts || expert_tensor_degree(plan_.layout) == 1;
  for_each_rank([&](int first, const Coordinates& rank) {
    // Members share one group: its first asks.
    if ((experts && rank.expert > 0) || (over_tensor && rank.tensor > 0)) return;
    const std::vector<int> gpus = group(collective.axis, first, rank, stage);
    const int kind = kinds_of_transfers_.collective(collective.op, use_, collective.fan_out, gpus);
    if (kinds.insert(kind).second) {
      ends.push_back(&transfers_.between(collective.op, use_, gpus));
    }
  });
  return at->second;
}

Seconds PassPrice::slowest(const AllEnds& transfers, Bytes bytes, const FanOut& fan_out) {
  Seconds slowest;
  if (bytes.value <= 0) return slowest;
  for (const Endpoints* const ends : transfers) {
    slowest = std::max(slowest, transfers_.path(*ends, bytes, fan_out).alone(bytes));
  }
  return slowest;
}

CompiledPass* PassPrice::known(const Key& key) {
  if (last_ != nullptr && key == last_key_) return last_;
  const auto at = passes_.find(key);
  if (at == passes_.end()) return nullptr;
  last_key_ = key;
  return last_ = at->second.get();
}

// Before a step is priced, and not within: the passes of its ranks are held together.
void PassPrice::make_room(std::size_t passes) {
  if (passes_.size() + passes <= kMostKept) return;
  passes_.clear();
  last_ = nullptr;
}

CompiledPass& PassPrice::compile(int stage, const Key& key, const PassShape& shape) {
  std::unique_ptr<CompiledPass>& pass = passes_[key];
  pass = std::make_unique<CompiledPass>(model_, plan_.layout, shape, kinds_, devices_[stage]);
  for (std::size_t at = 0; at < pass->times().size(); ++at) {
    const Instruction& instruction = pass->program().instructions[at];
    if (instruction.kind != Instruction::Kind::kCollective) continue;
    const Bytes bytes{instruction.bytes.base};
    pass->set_time(static_cast<int>(at),
                   slowest(ends_of(stage, instruction), bytes, instruction.fan_out));
  }
  pass->finish();
  last_key_ = key;
  return *(last_ = pass.get());
}

PassShape PassPrice::pass_shape(int stage, double group_tokens) const {
  PassShape shape;
  shape.group_tokens = group_tokens;
  shape.layers = layers_[stage];
  shape.stage = stage;
  return shape;
}

PassPrice::Kind PassPrice::kind_of(const std::vector<Slice>& slices) {
  const auto decodes = [](const Slice& slice) { return slice.query == 1 && slice.context > 0; };
  if (std::all_of(slices.begin(), slices.end(), decodes)) return Kind::kDecode;
  return std::any_of(slices.begin(), slices.end(), decodes) ? Kind::kMixed : Kind::kPrefill;
}

CompiledPass& PassPrice::pass_of(int stage, const serving::StepShape& shape, double group_tokens) {
  const StepPass step = pass_of_step(shape, limited_);
  const Kind kind = step.grows ? Kind::kGrowing : kind_of(step.slices);
  const Key key{stage, kind, tokens_of(step.slices), sequences_of(step.slices), group_tokens};
  CompiledPass* pass = known(key);
  if (pass == nullptr) {
    PassShape pass_shape = this->pass_shape(stage, group_tokens);
    pass_shape.slices = step.slices;
    pass_shape.grows = step.grows;
    pass = &compile(stage, key, pass_shape);
  } else if (!step.grows) {
    pass->refill(step.slices);
  }
  if (step.grows) pass->set_step(step.step);
  return *pass;
}

Seconds PassPrice::host_time(std::span<const serving::StepShape> ranks) const {
  const EngineTimes& engine = plan_.engine.times;
  if (!engine.on_host()) return {};
  return engine.per_step + engine.per_request * most_that_begin(ranks);
}

serving::Picoseconds PassPrice::of(std::span<const serving::StepShape> ranks, int stage) {
  make_room(ranks.size());
  const double group_tokens = rehearse::group_tokens(model_, ranks);
  Seconds computing;
  Seconds longest;
  Seconds takes;
  if (ranks.size() == 1) {
    const CompiledPass& pass = pass_of(stage, ranks.front(), group_tokens);
    computing = longest = pass.computing();
    takes = pass.alone();
  } else {
    std::vector<Passed> passes;
    for (const serving::StepShape& shape : ranks) {
      if (shape.executed == 0) continue;  // it only joins the others' collectives
      const CompiledPass& pass = pass_of(stage, shape, group_tokens);
      computing += pass.computing();
      longest = std::max(longest, pass.computing());
      passes.push_back({&pass.program(), pass.times()});
    }
    takes = together(std::move(passes));
  }
  if (stage == 0) takes += host_time(ranks);
  const auto count = static_cast<double>(ranks.size());
  parts_ = {duration(computing), duration((takes - longest) * count),
            duration(longest * count - computing)};
  return duration(takes);
}

// From each rank to that of the next stage; behind the last to the first.
const PassPrice::AllEnds& PassPrice::messages_from(int stage) {
  const auto [at, is_new] = known_messages_.try_emplace(stage);
  if (!is_new) return at->second;
  AllEnds& ends = at->second;
  const int next = (stage + 1) % plan_.layout.pipeline;
  std::set<int> kinds;
  for_each_rank([&](int first, const Coordinates& rank) {
    const int from = first + rank_at(rank.tensor, rank.expert, rank.data, stage);
    const int to = first + rank_at(rank.tensor, rank.expert, rank.data, next);
    if (kinds.insert(kinds_of_transfers_.message(from, to, use_)).second) {
      ends.push_back(&transfers_.message(from, to, use_));
    }
  });
  return at->second;
}

serving::Picoseconds PassPrice::message(std::span<const serving::StepShape> ranks, int stage) {
  const bool last = stage + 1 == plan_.layout.pipeline;
  make_room(ranks.size());
  double most = 0;
  for (const serving::StepShape& shape : ranks) {
    if (shape.executed == 0) continue;
    if (last) {
      most = std::max(most, static_cast<double>(shape.slices.size()) * kTokenIdBytes);
      continue;
    }
    const CompiledPass& pass = pass_of(stage, shape, group_tokens(model_, ranks));
    for (const Instruction& each : pass.program().instructions) {
      if (each.kind == Instruction::Kind::kSend) most = std::max(most, each.bytes.base);
    }
  }
  return duration(slowest(messages_from(stage), Bytes{most}));
}

}  // namespace rehearse
