#include "estimate/stage_passes.hpp"

#include <algorithm>
#include <cmath>

#include "program/lower.hpp"

namespace rehearse {
namespace {

// So many runs of decode steps at most.
constexpr int kStepRuns = 8;

template <class Item>
void add(Item item, std::vector<Item>& to) {
  if (std::find(to.begin(), to.end(), item) == to.end()) to.push_back(item);
}

}  // namespace

const std::vector<PassPaths>& KeptPasses::paths(int pass, const PassConditions& conditions,
                                                const std::vector<int>& steps) {
  const auto [at, is_new] = paths_.try_emplace({pass, steps, conditions});
  if (!is_new) return at->second;
  const PassProgram& program = library.of(pass);
  LeastTimes times(program, conditions, transfers);
  for (const int step : steps) at->second.push_back(paths_of(program, times.at(step)));
  return at->second;
}

StagePasses::StagePasses(const Model& model, Cluster& cluster, KeptPasses& kept, const Plan& plan)
    : model_(model),
      cluster_(cluster),
      kept_(kept),
      plan_(plan),
      transfers_count_(plan.network == NetworkLevelName::kFluid ||
                       plan.network == NetworkLevelName::kAnalytic),
      spread_(spread_of(plan, model)),
      grid_(plan.layout),
      layers_(stage_layers(plan.layout, model.layers)),
      use_(collective_use(plan)),
      batches_(plan),
      least_(plan.batch.sequences / plan.layout.dense_data()),
      larger_(plan.batch.sequences % plan.layout.dense_data()) {
  const int runs = std::min(kStepRuns, std::max(steps(), 1));
  for (int run = 0; run < runs; ++run) run_begin_.push_back(share_of(steps(), runs, run).first);
}

Replica StagePasses::first_replica() const {
  const std::vector<int> order = rank_order(plan_.layout.order);
  const auto place_of = [&](int axis) { return std::find(order.begin(), order.end(), axis); };
  constexpr int kExpertAxis = 2;  // of Coordinates
  constexpr int kDataAxis = 3;
  const int stride = place_of(kExpertAxis) < place_of(kDataAxis) ? 1 : plan_.layout.data;
  Replica replica{least_ + (larger_ > 0 ? 1 : 0), 0};
  for (int expert = 0; expert < plan_.layout.expert; ++expert) {
    if (expert * stride < larger_) ++replica.larger_in_group;
  }
  return replica;
}

Rank StagePasses::rank_at(int tensor, int expert, int data, int stage) const {
  Coordinates at;
  at.tensor = tensor;
  at.expert = expert;
  at.data = data;
  at.pipeline = stage % plan_.layout.pipeline;
  return grid_.rank(at);
}

// Calls visit(expert, data) for the replicas that the loaded one may be.
template <class Visit>
void StagePasses::for_each_replica(Visit visit) const {
  for (int data = 0; data < (replica_.any ? plan_.layout.data : 1); ++data) {
    for (int expert = 0; expert < (replica_.any ? plan_.layout.expert : 1); ++expert) {
      visit(expert, data);
    }
  }
}

// That of tensor rank 0. Experts that are not split are over all tensor ranks of their replicas.
std::vector<int> StagePasses::group(Axis axis, int expert, int data, int stage) const {
  const Layout& layout = plan_.layout;
  const bool tensor_group = axis == Axis::kTensor;
  const int tensors = tensor_group || expert_tensor_degree(layout) == 1 ? layout.tensor : 1;
  const Share experts = tensor_group ? Share{expert, 1} : Share{0, layout.expert};
  std::vector<int> gpus;
  gpus.reserve(static_cast<std::size_t>(tensors) * experts.count);
  for (int tensor = 0; tensor < tensors; ++tensor) {
    for (int at = experts.first; at < experts.first + experts.count; ++at) {
      gpus.push_back(rank_at(tensor, at, data, stage));
    }
  }
  std::sort(gpus.begin(), gpus.end());
  return gpus;
}

int StagePasses::sequences_in(int total, Phase phase, int part) const {
  return batches_.requests(phase, {0, total}, part).count;
}

PassShape StagePasses::shape_of(Phase phase, int part, int stage) const {
  PassShape shape;
  shape.slices = batches_.slices(phase, {0, replica_.sequences}, part);
  shape.grows = phase == Phase::kDecode;
  if (shape.grows) shape.steps = decode_steps(plan_.batch.output_tokens);
  shape.group_tokens =
      batches_.group_tokens(phase, part, replica_.larger_in_group, plan_.layout.expert);
  shape.layers = layers_[stage];
  shape.stage = stage;
  shape.host = host_before(plan_, stage);
  return shape;
}

Seconds StagePasses::message(int from, int to, Bytes bytes) const {
  if (!transfers_count_ || from == to || bytes.value <= 0) return {};
  Seconds least{INFINITY};
  for_each_replica([&](int expert, int data) {
    const int profile =
        kept_.transfers.message(rank_at(0, expert, data, from), rank_at(0, expert, data, to), use_);
    least = std::min(least, kept_.transfers.time(profile, bytes));
  });
  return least;
}

int StagePasses::transfer(const Instruction& collective, int stage) {
  const auto [at, is_new] =
      transfers_.try_emplace({stage, collective.axis, collective.op, collective.fan_out.back});
  if (!is_new) return at->second;
  std::vector<int> different;
  for_each_replica([&](int expert, int data) {
    if (expert > 0 && collective.axis == Axis::kExpert) return;  // they share one
    add(kept_.transfers.collective(collective.op, use_, collective.fan_out,
                                   group(collective.axis, expert, data, stage)),
        different);
  });
  return at->second = kept_.transfers.fastest_of(different);
}

StagePass StagePasses::stage_pass(Phase phase, int part, int stage) {
  const PassShape shape = shape_of(phase, part, stage);
  const int number =
      kept_.library.pass(plan_.layout, shape, parts_of_pass(model_, plan_, shape, phase, part));
  const PassProgram& pass = kept_.library.of(number);
  PassConditions conditions;
  conditions.spread = spread_;
  for_each_replica([&](int expert, int data) {
    const int gpu = rank_at(0, expert, data, stage);
    add(&kept_.rates[cluster_.platform().gpus[gpu].device], conditions.devices);
  });
  for (const DeviceRates& each : kept_.rates) conditions.of_group.push_back(&each);
  if (shape.sequences() > 0) {
    conditions.dispatch_share = sequences_in(least_, phase, part) / shape.sequences();
  }
  StagePass result;
  for (const Instruction& instruction : pass.instructions) {
    if (instruction.kind == Instruction::Kind::kSend) {
      result.message = message(stage, stage + 1, Bytes{instruction.bytes.base});
    } else if (instruction.kind == Instruction::Kind::kCollective && transfers_count_) {
      conditions.transfers.push_back(transfer(instruction, stage));
    }
  }
  const bool once = phase == Phase::kPrefill;
  result.paths = &kept_.paths(number, conditions, once ? std::vector<int>{0} : run_begin_);
  result.kv_appended = pass.kv_appended;
  result.activations = pass.certain_activations();
  return result;
}

// Shares come in two sizes, the larger ones first. (That experts move before a phase's first
// micro-batch makes no difference: how many do is unknown, and the least takes no time.)
void StagePasses::load(const Replica& replica) {
  replica_ = replica;
  transfers_.clear();
  for (const Phase phase : kPhases) {
    PhasePasses& passes = passes_[static_cast<int>(phase)];
    passes = {};
    for (int part = 0; part < parts(phase); ++part) {
      if (part == 0 || !same_shape(phase, part, part - 1)) {
        std::vector<StagePass>& at = passes.different.emplace_back();
        for (int stage = 0; stage < stages(); ++stage) at.push_back(stage_pass(phase, part, stage));
      }
      passes.of_part.push_back(static_cast<int>(passes.different.size()) - 1);
      passes.has_requests.push_back(sequences_in(replica.sequences, phase, part) > 0);
    }
  }
  token_message_.clear();
  for (int part = 0; part < parts(Phase::kDecode); ++part) {
    const int sequences = sequences_in(replica.sequences, Phase::kDecode, part);
    token_message_.push_back(message(stages() - 1, 0, Bytes{sequences * kTokenIdBytes}));
  }
}

bool StagePasses::same_shape(Phase phase, int a, int b) const {
  for (const int total : {replica_.sequences, least_, least_ + 1}) {
    if (sequences_in(total, phase, a) != sequences_in(total, phase, b)) return false;
  }
  return true;
}

}  // namespace rehearse
