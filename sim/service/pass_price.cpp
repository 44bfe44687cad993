// Most steps decode: with all keys seen, what such a step takes depends on how many requests there
// are and on the sum of their contexts alone, and grows linearly in its amounts. So one pass is
// compiled for so many requests, with contexts of 1, and asked at the step at which the mean
// context is that of the batch. Steps with prompts, and decodes whose queries see limited keys,
// refill the attention of a pass that was compiled for as many tokens.
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

CompiledPass& PassPrice::decode_pass(int stage, const serving::StepShape& shape,
                                     double group_tokens) {
  const auto requests = static_cast<double>(shape.executed);
  const Key key{stage, Kind::kGrowing, requests, requests, group_tokens};
  CompiledPass* pass = known(key);
  if (pass == nullptr) {
    PassShape pass_shape = this->pass_shape(stage, group_tokens);
    pass_shape.slices = {{requests, 1, 1}};
    pass_shape.grows = true;
    pass = &compile(stage, key, pass_shape);
  }
  // Requests that pad the batch have a context of 1.
  const double padding = requests - static_cast<double>(shape.tokens);
  pass->set_step((static_cast<double>(shape.context) + padding) / requests - 1);
  return *pass;
}

// Alike requests together; decodes as one slice of their mean context, where that is the same.
std::vector<Slice> PassPrice::slices_of(const serving::StepShape& shape) const {
  std::vector<Slice> slices;
  double decoding = static_cast<double>(shape.executed - shape.tokens);
  double context = decoding;
  for (const serving::Slice& each : shape.slices) {
    const double before = each.context + shape.grown;
    if (!limited_ && each.tokens == 1 && before > 0) {
      decoding += 1;
      context += before;
    } else {
      slices.push_back({1, static_cast<double>(each.tokens), before});
    }
  }
  if (limited_ && decoding > 0) slices.push_back({decoding, 1, 1});
  if (!limited_ && decoding > 0) slices.push_back({decoding, 1, context / decoding});
  std::sort(slices.begin(), slices.end());
  std::vector<Slice> merged;
  for (const Slice& slice : slices) {
    if (!merged.empty() && merged.back().query == slice.query &&
        merged.back().context == slice.context) {
      merged.back().sequences += slice.sequences;
    } else {
      merged.push_back(slice);
    }
  }
  return merged;
}

PassPrice::Kind PassPrice::kind_of(const std::vector<Slice>& slices) {
  const auto decodes = [](const Slice& slice) { return slice.query == 1 && slice.context > 0; };
  if (std::all_of(slices.begin(), slices.end(), decodes)) return Kind::kDecode;
  return std::any_of(slices.begin(), slices.end(), decodes) ? Kind::kMixed : Kind::kPrefill;
}

CompiledPass& PassPrice::mixed_pass(int stage, const serving::StepShape& shape,
                                    double group_tokens) {
  const std::vector<Slice> slices = slices_of(shape);
  const Key key{stage, kind_of(slices), tokens_of(slices), sequences_of(slices), group_tokens};
  if (CompiledPass* const pass = known(key)) {
    pass->refill(slices);
    return *pass;
  }
  PassShape pass_shape = this->pass_shape(stage, group_tokens);
  pass_shape.slices = slices;
  return compile(stage, key, pass_shape);
}

CompiledPass& PassPrice::pass_of(int stage, const serving::StepShape& shape, double group_tokens) {
  const bool growing = shape.tokens == 0 || (shape.decodes && !limited_);
  return growing ? decode_pass(stage, shape, group_tokens) : mixed_pass(stage, shape, group_tokens);
}

double PassPrice::group_tokens(std::span<const serving::StepShape> ranks) const {
  double tokens = 0;
  for (const serving::StepShape& rank : ranks) tokens += static_cast<double>(rank.executed);
  return model_.moe ? tokens : 0;
}

// Requests begin where they are prefilled.
Seconds PassPrice::host_time(std::span<const serving::StepShape> ranks) const {
  const EngineTimes& engine = plan_.engine.times;
  if (!engine.on_host()) return {};
  std::ptrdiff_t most = 0;
  for (const serving::StepShape& rank : ranks) {
    most = std::max(most, std::count_if(rank.slices.begin(), rank.slices.end(),
                                        [](const auto& slice) { return slice.context == 0; }));
  }
  return engine.per_step + engine.per_request * static_cast<double>(most);
}

serving::Picoseconds PassPrice::of(std::span<const serving::StepShape> ranks, int stage) {
  make_room(ranks.size());
  const double group_tokens = this->group_tokens(ranks);
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
    const CompiledPass& pass = pass_of(stage, shape, group_tokens(ranks));
    for (const Instruction& each : pass.program().instructions) {
      if (each.kind == Instruction::Kind::kSend) most = std::max(most, each.bytes.base);
    }
  }
  return duration(slowest(messages_from(stage), Bytes{most}));
}

}  // namespace rehearse
