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
#include "model/attention.hpp"
#include "program/compile_pass.hpp"
#include "program/lower.hpp"
#include "program/stage_weights.hpp"
#include "program/written_layers.hpp"
#include "routing/token_routing.hpp"
#include "service/engine_of_plan.hpp"
#include "service/rank_passes.hpp"
#include "service/step_pass.hpp"

namespace rehearse {
namespace {

// Passes of so many shapes are kept, of so many layers that are not alike fewer. What they answer
// does not depend on it.
constexpr std::size_t kMostKept = 4096;
constexpr std::size_t kFewestKept = 128;

// A difference of equal sums may be below 0 by a rounding.
serving::Picoseconds duration(Seconds time) {
  SIM_CHECK(time.value > -1e-12 && time.value < 1e6, "a step of no time that can be counted");
  return serving::to_picoseconds(std::max(time, Seconds{}));
}

int drafts_of(const Plan& plan, const Model& model) {
  if (!plan.serve || !drafts_by_prediction(plan.serve->engine, model)) return 0;
  return plan.serve->engine.speculative->tokens;
}

}  // namespace

PassPrice::Taken& PassPrice::Taken::operator+=(const Taken& other) {
  computing += other.computing;
  longest += other.longest;
  whole += other.whole;
  return *this;
}

PassPrice::PassPrice(const Plan& plan, const Model& model, Cluster& cluster,
                     std::vector<int> first_gpus)
    : model_(model),
      plan_(plan),
      first_gpus_(std::move(first_gpus)),
      grid_(plan.layout),
      drafts_(drafts_of(plan, model)),
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
  if (drafts_ > 0) {
    layers_.push_back({model.layers, static_cast<int>(model.prediction->of_each.size())});
    devices_.push_back(devices_.back());
  }
  if (!routes_tokens(plan, model)) return;
  uneven_.emplace(model, plan,
                  nodes_of_ranks(plan.layout, cluster.platform(), first_gpus_.front()));
  int kind = 1 + *std::max_element(kinds_.begin(), kinds_.end());
  for (int layer = 0; layer < model.stored_layers(); ++layer) {
    if (model.is_moe_layer(layer)) kinds_[layer] = kind++;
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
    const std::vector<int> gpus = group(collective.axis, first, rank, held_by(stage));
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

// Between steps only: ranks of one step hold passes of each other's.
void PassPrice::forget() {
  const auto layers = static_cast<std::size_t>(uneven_ ? model_.layers : 1);
  const std::size_t most = std::max(kFewestKept, kMostKept / layers);
  if (passes_.size() >= most) {
    passes_.clear();
    last_ = nullptr;
  }
  if (uneven_) uneven_->forget(most);
}

CompiledPass& PassPrice::compile(const Asked& asked, const Key& key, const PassShape& shape) {
  const int stage = asked.stage;
  ExpertsOfRank experts;
  if (uneven_) {
    experts = {&uneven_->loads(), asked.member, shape.tokens() / uneven_->sharing()};
  }
  std::unique_ptr<CompiledPass>& pass = passes_[key];
  pass =
      std::make_unique<CompiledPass>(model_, plan_.layout, shape, kinds_, devices_[stage], experts);
  for (std::size_t at = 0; at < pass->times().size(); ++at) {
    const Instruction& instruction = pass->program().instructions[at];
    if (instruction.kind != Instruction::Kind::kCollective) continue;
    if (uneven_ && instruction.axis == Axis::kExpert) continue;  // UnevenExperts::set_exchanges
    const Bytes bytes{instruction.bytes.base};
    pass->set_time(static_cast<int>(at),
                   slowest(ends_of(stage, instruction), bytes, instruction.fan_out));
  }
  pass->finish();
  last_key_ = key;
  return *(last_ = pass.get());
}

PassShape PassPrice::pass_shape(const Asked& asked) const {
  PassShape shape;
  shape.group_tokens = asked.group_tokens;
  shape.layers = layers_[asked.stage];
  shape.stage = held_by(asked.stage);
  shape.drafts = asked.stage == drafting();
  return shape;
}

PassPrice::Kind PassPrice::kind_of(const std::vector<Slice>& slices) {
  const auto decodes = [](const Slice& slice) { return rehearse::decodes(slice); };
  if (std::all_of(slices.begin(), slices.end(), decodes)) return Kind::kDecode;
  return std::any_of(slices.begin(), slices.end(), decodes) ? Kind::kMixed : Kind::kPrefill;
}

CompiledPass& PassPrice::pass_of(const Asked& asked, const serving::StepShape& shape) {
  const StepPass step = pass_of_step(shape, limited_);
  PassShape pass_shape = this->pass_shape(asked);
  pass_shape.slices = step.slices;
  pass_shape.grows = step.grows;
  const Kind kind = step.grows ? Kind::kGrowing : kind_of(step.slices);
  const Key key{asked.stage,        kind,        pass_shape.tokens(), pass_shape.scored(),
                asked.group_tokens, asked.member};
  CompiledPass* pass = known(key);
  if (pass == nullptr) {
    pass = &compile(asked, key, pass_shape);
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

// Ranks without tokens of their own have the others' to compute.
PassPrice::Taken PassPrice::uneven_pass(std::span<const serving::StepShape> ranks, int stage) {
  const double group_tokens = rehearse::group_tokens(model_, ranks);
  const std::vector<double> tokens = uneven_->tokens_of(ranks);
  const auto slowest = [&](const Instruction& all_to_all, Transfer& transfer, Bytes largest) {
    Seconds slowest;
    for (const Endpoints* const ends : ends_of(stage, all_to_all)) {
      slowest = std::max(slowest, transfers_.paths().of(transfer, *ends).alone(largest));
    }
    return slowest;
  };
  const double share = 1.0 / uneven_->sharing();
  Taken taken;
  std::vector<RankPass> passes;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    for (const int member : uneven_->members(static_cast<int>(rank))) {
      CompiledPass& pass = pass_of({stage, group_tokens, member}, ranks[rank]);
      uneven_->set_exchanges({stage, layers_[stage].first}, tokens, slowest, pass);
      taken.computing += pass.computing() * share;
      explain(pass, taken.longest);
      taken.longest = std::max(taken.longest, pass.computing());
      passes.push_back({&pass.program(), pass.times()});
    }
  }
  taken.whole = together(std::move(passes), uneven_->sharing());
  return taken;
}

PassPrice::Taken PassPrice::pass(std::span<const serving::StepShape> ranks, int stage) {
  forget();
  return uneven_ ? uneven_pass(ranks, stage) : even_pass(ranks, stage);
}

PassPrice::Taken PassPrice::even_pass(std::span<const serving::StepShape> ranks, int stage) {
  const double group_tokens = rehearse::group_tokens(model_, ranks);
  Taken taken;
  if (ranks.size() == 1) {
    const CompiledPass& pass = pass_of({stage, group_tokens}, ranks.front());
    explain(pass, {});
    taken.computing = taken.longest = pass.computing();
    taken.whole = pass.alone();
    return taken;
  }
  std::vector<RankPass> passes;
  for (const serving::StepShape& shape : ranks) {
    if (shape.executed == 0) continue;  // it only joins the others' collectives
    const CompiledPass& pass = pass_of({stage, group_tokens}, shape);
    taken.computing += pass.computing();
    explain(pass, taken.longest);
    taken.longest = std::max(taken.longest, pass.computing());
    passes.push_back({&pass.program(), pass.times()});
  }
  taken.whole = together(std::move(passes));
  return taken;
}

PassPrice::Taken PassPrice::drafts(std::span<const serving::StepShape> ranks) {
  Taken taken = pass(ranks, drafting());
  std::vector<serving::Batch> batches;
  std::vector<serving::StepShape> shapes;
  std::vector<std::int64_t> contexts;
  shapes.reserve(ranks.size());
  contexts.reserve(ranks.size());
  for (const serving::StepShape& rank : ranks) {
    serving::Batch& batch = batches.emplace_back(rank.slices.begin(), rank.slices.end());
    for (serving::Slice& slice : batch) {
      slice.context += rank.grown + slice.tokens;
      slice.tokens = 1;
    }
  }
  for (const serving::Batch& batch : batches) {
    contexts.push_back(shapes.emplace_back(serving::shape_of(batch)).context);
  }
  for (int draft = 1; draft < drafts_; ++draft) {
    for (std::size_t rank = 0; rank < shapes.size(); ++rank) {
      shapes[rank].grown = draft - 1;
      shapes[rank].context = contexts[rank] + shapes[rank].grown * shapes[rank].tokens;
    }
    taken += pass(shapes, drafting());
  }
  return taken;
}

serving::Picoseconds PassPrice::of(std::span<const serving::StepShape> ranks, int stage) {
  Taken taken = pass(ranks, stage);
  if (drafts_ > 0 && stage + 1 == plan_.layout.pipeline) taken += drafts(ranks);
  if (stage == 0) taken.whole += host_time(ranks);
  const serving::Picoseconds whole = duration(taken.whole);
  const auto count = static_cast<double>(ranks.size());
  // Of all ranks; rounded so that the parts add up to what the step takes of them.
  const serving::Picoseconds all = whole * static_cast<serving::Picoseconds>(ranks.size());
  parts_.computing = std::min(all, duration(taken.computing));
  parts_.peers =
      std::min(all - parts_.computing, duration(taken.longest * count - taken.computing));
  parts_.network = all - parts_.computing - parts_.peers;
  return whole;
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
  double most = 0;
  forget();
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const serving::StepShape& shape = ranks[rank];
    if (shape.executed == 0) continue;
    if (last) {
      most = std::max(most, static_cast<double>(shape.slices.size()) * kTokenIdBytes);
      continue;
    }
    const int member = uneven_ ? uneven_->members(static_cast<int>(rank)).front() : 0;
    const CompiledPass& pass = pass_of({stage, group_tokens(model_, ranks), member}, shape);
    for (const Instruction& each : pass.program().instructions) {
      if (each.kind == Instruction::Kind::kSend) most = std::max(most, each.bytes.base);
    }
  }
  return duration(slowest(messages_from(stage), Bytes{most}));
}

}  // namespace rehearse
