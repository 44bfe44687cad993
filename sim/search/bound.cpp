#include "search/bound.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "program/lower.hpp"
#include "program/stage_weights.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {
namespace {

// Durations grow with the step, so those of a run of steps are at least those of its first. So many
// runs at most.
constexpr int kStepRuns = 8;
// Sums are taken in another order than the replay's.
constexpr double kRounding = 1 - 1e-9;

// A replica as its first rank of every stage sees it.
struct Replica {
  int sequences = 0;
  int larger_in_group =
      0;             // replicas that share its experts and have a request more than the least
  bool any = false;  // where it is unknown: each operation as fast as on the fastest
};

// The passes of one micro-batch at one stage.
struct StagePass {
  const PassTemplate* pass = nullptr;
  std::vector<PassTime> times;  // by run of steps; prefill: one
  Seconds message;              // of the activations to the next stage
};

class PlanBound {
 public:
  PlanBound(const Model& model, Cluster& cluster, PassTemplates& templates,
            TransferTimes& transfers, const Plan& plan)
      : model_(model),
        cluster_(cluster),
        templates_(templates),
        plan_(plan),
        grid_(plan.layout),
        stages_(plan.layout.pipeline),
        steps_(plan.batch.output_tokens - 1),
        parts_(decode_micro_batches(plan)),
        layers_(stage_layers(plan.layout, model.layers)) {
    const bool fluid =
        plan.network == NetworkLevelName::kFluid || plan.network == NetworkLevelName::kAnalytic;
    transfers_ = fluid ? &transfers : nullptr;
    algorithms_ = chosen_algorithms(plan);
    least_ = plan.batch.sequences / plan.layout.dense_data();
    larger_ = plan.batch.sequences % plan.layout.dense_data();
    const int runs = std::min(kStepRuns, std::max(steps_, 1));
    for (int run = 0; run < runs; ++run) run_begin_.push_back(share_of(steps_, runs, run).first);
  }

  Metrics bound() {
    metrics_.ranks = plan_.layout.gpus();
    load(first_replica());
    metrics_.makespan_s = run().value;
    find_memory();
    const double last_first_token = first_token_.back();
    load({least_, 0, true});
    run();
    measure_requests();
    metrics_.ttft_s.max = std::max(metrics_.ttft_s.max, last_first_token * kRounding);
    metrics_.makespan_s *= kRounding;
    const Batch& batch = plan_.batch;
    const double sequences = batch.sequences;
    metrics_.prompt_tokens_per_s = sequences * batch.prompt_tokens / metrics_.makespan_s;
    metrics_.output_tokens_per_s = sequences * batch.output_tokens / metrics_.makespan_s;
    metrics_.tokens_per_s = metrics_.prompt_tokens_per_s + metrics_.output_tokens_per_s;
    metrics_.tokens_per_ms_per_gpu = metrics_.tokens_per_s / 1e3 / metrics_.ranks;
    return metrics_;
  }

 private:
  // Rank 0's replica is the first of its group, so it has the most requests, and its expert group
  // the most that have.
  Replica first_replica() const {
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

  Rank rank_at(int tensor, int expert, int data, int stage) const {
    Coordinates at;
    at.tensor = tensor;
    at.expert = expert;
    at.data = data;
    at.pipeline = stage;
    return grid_.rank(at);
  }

  // Calls visit(expert, data) for the replicas that the loaded one may be.
  template <class Visit>
  void for_each_replica(Visit visit) const {
    for (int data = 0; data < (replica_.any ? plan_.layout.data : 1); ++data) {
      for (int expert = 0; expert < (replica_.any ? plan_.layout.expert : 1); ++expert) {
        visit(expert, data);
      }
    }
  }

  PassPlace place(int stage) const {
    const Platform& platform = cluster_.platform();
    PassPlace place;
    place.device = platform.device_of(rank_at(0, 0, 0, stage));
    for_each_replica([&](int expert, int data) {
      take_best(platform.device_of(rank_at(0, expert, data, stage)), place.device);
      place.tensor_groups.push_back(tensor_group(expert, data, stage));
      // The replicas that share experts have one group, but for each tensor rank's.
      if (expert == 0) place.expert_groups.push_back(expert_group(data, stage));
    });
    place.peak = usable_peak(platform, place.device, model_.weight_dtype);
    place.algorithms = &algorithms_;
    place.transfers = transfers_;
    return place;
  }

  static void take_best(const Device& other, Device& best) {
    if (other == best) return;
    // peak x efficiency decides, and the peaks are read one by one.
    for (const auto peak :
         {&Device::peak, &Device::peak_fp8, &Device::peak_fp4, &Device::peak_fp32}) {
      best.*peak = std::max(best.*peak, other.*peak);
    }
    best.compute_efficiency = std::max(best.compute_efficiency, other.compute_efficiency);
    best.memory_bandwidth = std::max(best.memory_bandwidth, other.memory_bandwidth);
    best.memory_efficiency = std::max(best.memory_efficiency, other.memory_efficiency);
    best.kernel_launch = std::min(best.kernel_launch, other.kernel_launch);
  }

  std::vector<int> tensor_group(int expert, int data, int stage) const {
    std::vector<int> gpus;
    gpus.reserve(plan_.layout.tensor);
    for (int tensor = 0; tensor < plan_.layout.tensor; ++tensor) {
      gpus.push_back(rank_at(tensor, expert, data, stage));
    }
    std::sort(gpus.begin(), gpus.end());
    return gpus;
  }

  // That of tensor rank 0; with experts that are not split, the one of all tensor ranks.
  std::vector<int> expert_group(int data, int stage) const {
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

  int sequences_in(int total, Phase phase, int part) const {
    return share_of(total, phase == Phase::kPrefill ? plan_.batch.micro_batches : parts_, part)
        .count;
  }

  PassShape shape_of(const Replica& replica, Phase phase, int part, int stage) const {
    PassShape shape;
    shape.phase = phase;
    shape.sequences = sequences_in(replica.sequences, phase, part);
    shape.prompt_tokens = plan_.batch.prompt_tokens;
    shape.group_tokens =
        static_cast<double>(replica.larger_in_group) * sequences_in(least_ + 1, phase, part) +
        static_cast<double>(plan_.layout.expert - replica.larger_in_group) *
            sequences_in(least_, phase, part);
    if (phase == Phase::kPrefill) shape.group_tokens *= shape.prompt_tokens;
    shape.layers = layers_[stage];
    shape.stage = stage;
    return shape;
  }

  Bytes activation_bytes(const PassShape& shape) const {
    const Layout& layout = plan_.layout;
    return Bytes{shape.tokens() / (layout.sequence_parallel ? layout.tensor : 1) * model_.hidden *
                 bytes_per_element(model_.activation_dtype)};
  }

  Seconds message(int from, int to, Bytes bytes) const {
    if (transfers_ == nullptr || from == to || bytes.value <= 0) return {};
    Seconds least{INFINITY};
    for_each_replica([&](int expert, int data) {
      const int profile =
          transfers_->message(rank_at(0, expert, data, from), rank_at(0, expert, data, to));
      least = std::min(least, transfers_->time(profile, bytes));
    });
    return least;
  }

  StagePass stage_pass(const Replica& replica, Phase phase, int part, int stage) {
    const PassShape shape = shape_of(replica, phase, part, stage);
    const double smallest = sequences_in(least_, phase, part);
    const double dispatch_share = shape.sequences > 0 ? smallest / shape.sequences : 1;
    StagePass result;
    result.pass = &templates_.of(plan_.layout, shape);
    result.times = pass_times(*result.pass, places_[stage], dispatch_share,
                              phase == Phase::kPrefill ? std::vector<int>{0} : run_begin_);
    if (stage + 1 < stages_) result.message = message(stage, stage + 1, activation_bytes(shape));
    return result;
  }

  // Shares come in two sizes, the larger ones first.
  void load(const Replica& replica) {
    replica_ = replica;
    places_.clear();
    for (int stage = 0; stage < stages_; ++stage) places_.push_back(place(stage));
    for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
      const int count = phase == Phase::kPrefill ? plan_.batch.micro_batches : parts_;
      std::vector<std::vector<StagePass>>& all = passes_[static_cast<int>(phase)];
      all.clear();
      for (int part = 0; part < count; ++part) {
        if (part > 0 && same_shape(phase, part, part - 1)) {
          all.push_back(all.back());
          continue;
        }
        std::vector<StagePass>& at = all.emplace_back();
        for (int stage = 0; stage < stages_; ++stage) {
          at.push_back(stage_pass(replica, phase, part, stage));
        }
      }
    }
    token_message_.clear();
    for (int part = 0; part < parts_; ++part) {
      const int sequences = sequences_in(replica.sequences, Phase::kDecode, part);
      token_message_.push_back(message(stages_ - 1, 0, Bytes{sequences * kTokenIdBytes}).value);
    }
  }

  bool same_shape(Phase phase, int a, int b) const {
    for (const int total : {replica_.sequences, least_, least_ + 1}) {
      if (sequences_in(total, phase, a) != sequences_in(total, phase, b)) return false;
    }
    return true;
  }

  // One pass through all stages from `arrival` on; when the last stage has ended it.
  double trip(const std::vector<StagePass>& passes, int run, double arrival) {
    for (int stage = 0; stage < stages_; ++stage) {
      const StagePass& pass = passes[stage];
      const PassTime& time = pass.times[run];
      const double begin = std::max(clock_[stage], arrival);
      clock_[stage] = begin + time.compute.value;
      if (stage + 1 == stages_) break;
      sent_[stage] = std::max(begin + time.send.value, sent_[stage]) + pass.message.value;
      arrival = sent_[stage];
    }
    return clock_.back();
  }

  // The whole batch of the replica; first_token_ by prefill micro-batch.
  Seconds run() {
    clock_.assign(stages_, 0);
    sent_.assign(stages_, 0);
    first_token_.clear();
    const int micro_batches = plan_.batch.micro_batches;
    std::vector<double> token(parts_, 0);  // when the part's tokens are at the first stage
    int told = 0;
    for (int part = 0; part < micro_batches; ++part) {
      first_token_.push_back(trip(passes_[0][part], 0, 0));
      const Share done = share_of(replica_.sequences, micro_batches, part);
      for (; told < parts_; ++told) {
        const Share wanted = share_of(replica_.sequences, parts_, told);
        if (wanted.first + wanted.count > done.first + done.count) break;
        token[told] = tell(told, first_token_.back());
      }
    }
    for (int step = 0, run = 0; step < steps_; ++step) {
      if (run + 1 < static_cast<int>(run_begin_.size()) && step == run_begin_[run + 1]) ++run;
      for (int part = 0; part < parts_; ++part) {
        token[part] = tell(part, trip(passes_[1][part], run, stages_ > 1 ? token[part] : 0));
      }
    }
    return {*std::max_element(clock_.begin(), clock_.end())};
  }

  double tell(int part, double sampled) {
    if (stages_ == 1) return sampled;
    sent_.back() = std::max(sampled, sent_.back()) + token_message_[part];
    return sent_.back();
  }

  int steps_in(int run) const {
    const int end = run + 1 < static_cast<int>(run_begin_.size()) ? run_begin_[run + 1] : steps_;
    return end - run_begin_[run];
  }

  // From a request's first token, sampled in the prefill micro-batch, to its last, in the decode
  // micro-batch.
  double first_to_last(int micro_batch, int part) const {
    double busy = 0;  // the last stage's passes in between
    for (int later = micro_batch + 1; later < plan_.batch.micro_batches; ++later) {
      busy += passes_[0][later].back().times[0].compute.value;
    }
    double trips = 0;
    for (int run = 0; run < static_cast<int>(run_begin_.size()); ++run) {
      double step = 0;
      double behind = 0;  // passes of a step that come after this part's
      for (int each = 0; each < parts_; ++each) {
        const double pass = passes_[1][each].back().times[run].compute.value;
        step += pass;
        if (each > part) behind += pass;
      }
      busy += steps_in(run) * step;
      if (run + 1 == static_cast<int>(run_begin_.size())) busy -= behind;
      double trip = token_message_[part];
      for (const StagePass& pass : passes_[1][part]) {
        const bool last = &pass == &passes_[1][part].back();
        trip +=
            last ? pass.times[run].compute.value : pass.times[run].send.value + pass.message.value;
      }
      trips += steps_in(run) * trip;
    }
    return std::max(busy, trips);
  }

  // The requests of all replicas, as if each replica had only the passes of the smallest.
  void measure_requests() {
    std::vector<double> first;
    std::vector<double> per_token;
    std::vector<std::vector<double>> gaps(plan_.batch.micro_batches,
                                          std::vector<double>(parts_, -1));
    for (const auto& [sequences, replicas] :
         {std::pair{least_ + 1, larger_}, std::pair{least_, plan_.layout.dense_data() - larger_}}) {
      for (int request = 0; replicas > 0 && request < sequences; ++request) {
        const int micro_batch = part_of(request, sequences, plan_.batch.micro_batches);
        const int part = part_of(request, sequences, parts_);
        double& gap = gaps[micro_batch][part];
        if (gap < 0 && steps_ > 0) gap = first_to_last(micro_batch, part) / steps_ * kRounding;
        first.insert(first.end(), replicas, first_token_[micro_batch] * kRounding);
        if (steps_ > 0) per_token.insert(per_token.end(), replicas, gap);
      }
    }
    metrics_.ttft_s = distribution_of(std::move(first));
    metrics_.tpot_s = distribution_of(std::move(per_token));
    metrics_.ttft_s.mean *= kRounding;
    metrics_.tpot_s.mean *= kRounding;
  }

  // The share of `total` requests in `parts` that has the request.
  static int part_of(int request, int total, int parts) {
    const int least = total / parts;
    const int larger = total % parts;
    if (request < larger * (least + 1)) return request / (least + 1);
    return larger + (request - larger * (least + 1)) / least;
  }

  void find_memory() {
    MemoryPeak& peak = metrics_.memory;
    for (int stage = 0; stage < stages_; ++stage) {
      const std::array<Bytes, 2> varying = highest(stage);
      const Bytes weights = weights_of_stage(model_, plan_, stage, layers_[stage]);
      const Bytes sum = weights + plan_.communication_buffers + varying[0] + varying[1];
      const double capacity = places_[stage].device.memory.value;
      if (sum.value / capacity <= peak.peak_fraction) continue;
      peak.peak_fraction = sum.value / capacity;
      peak.capacity_bytes = capacity;
      peak.peak_bytes = sum.value;
      peak.binding_rank = rank_at(0, 0, 0, stage);
      const auto category = [&](MemoryCategory of) -> double& {
        return peak.bytes[static_cast<int>(of)];
      };
      category(MemoryCategory::kWeights) = weights.value;
      category(MemoryCategory::kKvCache) = varying[0].value;
      category(MemoryCategory::kActivations) = varying[1].value;
      category(MemoryCategory::kCommunicationBuffers) = plan_.communication_buffers.value;
    }
    peak.fits = peak.peak_fraction <= 1;
  }

  // KV cache and activations where their sum is highest: in prefill, or in the last decode step.
  std::array<Bytes, 2> highest(int stage) const {
    const Bytes per_token = kv_bytes_per_token_and_layer(model_, plan_.layout.tensor) *
                            static_cast<double>(layers_[stage].count);
    Bytes kv;
    std::array<Bytes, 2> most{};
    const auto pass = [&](Phase phase, int part, double tokens) {
      kv += per_token * tokens;
      const Bytes activations = passes_[static_cast<int>(phase)][part][stage].pass->activation_peak;
      if (kv + activations > most[0] + most[1]) most = {kv, activations};
    };
    for (int part = 0; part < plan_.batch.micro_batches; ++part) {
      const double sequences = sequences_in(replica_.sequences, Phase::kPrefill, part);
      pass(Phase::kPrefill, part, sequences * plan_.batch.prompt_tokens);
    }
    if (steps_ == 0) return most;
    kv += per_token * (static_cast<double>(steps_ - 1) * replica_.sequences);
    for (int part = 0; part < parts_; ++part) {
      pass(Phase::kDecode, part, sequences_in(replica_.sequences, Phase::kDecode, part));
    }
    return most;
  }

  const Model& model_;
  Cluster& cluster_;
  PassTemplates& templates_;
  TransferTimes* transfers_ = nullptr;
  const Plan& plan_;
  const RankGrid grid_;
  const int stages_;
  const int steps_;  // of decoding
  const int parts_;
  const std::vector<Share> layers_;
  std::array<const CollectiveAlgorithm*, kCollectiveOps> algorithms_{};
  int least_ = 0;   // requests of the smallest replica
  int larger_ = 0;  // replicas that have one more
  std::vector<int> run_begin_;
  std::vector<PassPlace> places_;  // by stage

  Replica replica_;
  std::array<std::vector<std::vector<StagePass>>, 2> passes_;  // [phase][micro-batch][stage]
  std::vector<double> token_message_;                          // by decode micro-batch
  std::vector<double> clock_;                                  // by stage: end of its last operator
  std::vector<double> sent_;                                   // by stage: end of its last message
  std::vector<double> first_token_;
  Metrics metrics_;
};

}  // namespace

Bounder::Bounder(const Model& model, Cluster& cluster)
    : model_(model), cluster_(cluster), templates_(model), transfers_(cluster) {}

Metrics Bounder::bound(const Plan& plan) {
  if (routes_tokens(plan, model_) || plan.batch.lengths.given) {
    // Which rank has how much to do is known by simulating only: anything may be reached.
    Metrics anything;
    anything.ranks = plan.layout.gpus();
    for (const auto rate : {&Metrics::prompt_tokens_per_s, &Metrics::output_tokens_per_s,
                            &Metrics::tokens_per_s, &Metrics::tokens_per_ms_per_gpu}) {
      anything.*rate = INFINITY;
    }
    return anything;
  }
  return PlanBound(model_, cluster_, templates_, transfers_, plan).bound();
}

}  // namespace rehearse
