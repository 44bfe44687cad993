#include "estimate/stage_passes.hpp"

#include <algorithm>
#include <cmath>

#include "program/compile_pass.hpp"
#include "program/lower.hpp"

namespace rehearse {
namespace {

// So many runs of decode steps at most.
constexpr int kStepRuns = 8;

void add(const DeviceRates& device, std::vector<const DeviceRates*>& to) {
  if (std::find(to.begin(), to.end(), &device) == to.end()) to.push_back(&device);
}

}  // namespace

StagePasses::StagePasses(const Model& model, Cluster& cluster, PassTemplates& templates,
                         TransferTimes& transfers, const Plan& plan)
    : model_(model),
      cluster_(cluster),
      rates_(device_rates(cluster.platform())),
      templates_(templates),
      plan_(plan),
      spread_(spread_of(plan, model)),
      grid_(plan.layout),
      layers_(stage_layers(plan.layout, model.layers)),
      algorithms_(chosen_algorithms(plan)),
      least_(plan.batch.sequences / plan.layout.dense_data()),
      larger_(plan.batch.sequences % plan.layout.dense_data()) {
  const bool fluid =
      plan.network == NetworkLevelName::kFluid || plan.network == NetworkLevelName::kAnalytic;
  transfers_ = fluid ? &transfers : nullptr;
  const int runs = std::min(kStepRuns, std::max(steps(), 1));
  for (int run = 0; run < runs; ++run) run_begin_.push_back(share_of(steps(), runs, run).first);
}

int StagePasses::parts(Phase phase) const {
  return phase == Phase::kPrefill ? plan_.batch.micro_batches : decode_micro_batches(plan_);
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
  at.pipeline = stage;
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

PassPlace StagePasses::place(int stage) const {
  const Platform& platform = cluster_.platform();
  PassPlace place;
  for_each_replica([&](int expert, int data) {
    add(rates_[platform.gpus[rank_at(0, expert, data, stage)].device], place.devices);
    place.tensor_groups.push_back(tensor_group(expert, data, stage));
    // The replicas that share experts have one group, but for each tensor rank's.
    if (expert == 0) place.expert_groups.push_back(expert_group(data, stage));
  });
  for (const DeviceRates& device : rates_) add(device, place.of_group);
  place.algorithms = &algorithms_;
  place.transfers = transfers_;
  return place;
}

std::vector<int> StagePasses::tensor_group(int expert, int data, int stage) const {
  std::vector<int> gpus;
  gpus.reserve(plan_.layout.tensor);
  for (int tensor = 0; tensor < plan_.layout.tensor; ++tensor) {
    gpus.push_back(rank_at(tensor, expert, data, stage));
  }
  std::sort(gpus.begin(), gpus.end());
  return gpus;
}

// That of tensor rank 0; with experts that are not split, the one of all tensor ranks.
std::vector<int> StagePasses::expert_group(int data, int stage) const {
  std::vector<int> gpus;
  const int tensors = expert_tensor_degree(plan_.layout) == 1 ? plan_.layout.tensor : 1;
  for (int tensor = 0; tensor < tensors; ++tensor) {
    for (int expert = 0; expert < plan_.layout.expert; ++expert) {
      gpus.push_back(rank_at(tensor, expert, data, stage));
    }
  }
  std::sort(gpus.begin(), gpus.end());
  return gpus;
}

int StagePasses::sequences_in(int total, Phase phase, int part) const {
  return share_of(total, parts(phase), part).count;
}

PassShape StagePasses::shape_of(Phase phase, int part, int stage) const {
  PassShape shape;
  shape.phase = phase;
  shape.sequences = sequences_in(replica_.sequences, phase, part);
  shape.prompt_tokens = plan_.batch.prompt_tokens;
  shape.group_tokens =
      static_cast<double>(replica_.larger_in_group) * sequences_in(least_ + 1, phase, part) +
      static_cast<double>(plan_.layout.expert - replica_.larger_in_group) *
          sequences_in(least_, phase, part);
  if (phase == Phase::kPrefill) shape.group_tokens *= shape.prompt_tokens;
  shape.layers = layers_[stage];
  shape.stage = stage;
  return shape;
}

Bytes StagePasses::activation_bytes(const PassShape& shape) const {
  const Layout& layout = plan_.layout;
  return Bytes{shape.tokens() / (layout.sequence_parallel ? layout.tensor : 1) * model_.hidden *
               bytes_per_element(model_.activation_dtype)};
}

Seconds StagePasses::message(int from, int to, Bytes bytes) const {
  if (transfers_ == nullptr || from == to || bytes.value <= 0) return {};
  Seconds least{INFINITY};
  for_each_replica([&](int expert, int data) {
    const int profile =
        transfers_->message(rank_at(0, expert, data, from), rank_at(0, expert, data, to));
    least = std::min(least, transfers_->time(profile, bytes));
  });
  return least;
}

StagePass StagePasses::stage_pass(Phase phase, int part, int stage) {
  const PassShape shape = shape_of(phase, part, stage);
  const double smallest = sequences_in(least_, phase, part);
  const double dispatch_share = shape.sequences > 0 ? smallest / shape.sequences : 1;
  StagePass result;
  result.pass = &templates_.of(plan_.layout, shape, spread_);
  result.times = pass_times(*result.pass, places_[stage], dispatch_share,
                            phase == Phase::kPrefill ? std::vector<int>{0} : run_begin_);
  if (stage + 1 < stages()) result.message = message(stage, stage + 1, activation_bytes(shape));
  return result;
}

// Shares come in two sizes, the larger ones first.
void StagePasses::load(const Replica& replica) {
  replica_ = replica;
  places_.clear();
  for (int stage = 0; stage < stages(); ++stage) places_.push_back(place(stage));
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
    const int count = parts(phase);
    std::vector<std::vector<StagePass>>& all = passes_[static_cast<int>(phase)];
    all.clear();
    for (int part = 0; part < count; ++part) {
      if (part > 0 && same_shape(phase, part, part - 1)) {
        all.push_back(all.back());
        continue;
      }
      std::vector<StagePass>& at = all.emplace_back();
      for (int stage = 0; stage < stages(); ++stage) {
        at.push_back(stage_pass(phase, part, stage));
      }
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

int StagePasses::steps_in(int run) const {
  const int end = run + 1 < runs() ? run_begin_[run + 1] : steps();
  return end - run_begin_[run];
}

}  // namespace rehearse
