#include "estimate/bound.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "layout/memory_rule.hpp"
#include "program/stage_weights.hpp"
#include "schedule/pipeline_schedule.hpp"

namespace rehearse {
namespace {

// Sums are taken in another order than the replay's.
constexpr double kRounding = 1 - 1e-9;

// The schedule of a plan on a replica's stages, each pass as early as it can be.
class PlanBound {
 public:
  PlanBound(const Model& model, const Plan& plan, StagePasses& passes)
      : model_(model),
        plan_(plan),
        passes_(passes),
        ranks_(plan.layout.pipeline),
        chunks_(plan.layout.virtual_stages),
        steps_(passes_.steps()),
        parts_(passes_.parts(Phase::kDecode)),
        turns_{turns_of(plan.layout, plan.batch.micro_batches, 0),
               turns_of(plan.layout, parts_, 0)} {}

  Metrics bound() {
    metrics_.ranks = plan_.layout.gpus();
    passes_.load(passes_.first_replica());
    metrics_.makespan_s = run().value;
    find_memory();
    const double last_first_token = first_token_.back();
    passes_.load(passes_.smallest());
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
    metrics_.output_tokens_per_s_per_gpu = metrics_.output_tokens_per_s / metrics_.ranks;
    return metrics_;
  }

 private:
  // A micro-batch through a chunk of every rank, from its `arrival` at the first one on: when it is
  // at the next chunk, or, behind the last, when its tokens are sampled.
  double turn(const std::vector<StagePass>& passes, int chunk, int run, double arrival) {
    for (int rank = 0; rank < ranks_; ++rank) {
      const StagePass& pass = passes[chunk * ranks_ + rank];
      const auto& [from_rank, from_message] = (*pass.paths)[run];
      const double free = clock_[rank];
      clock_[rank] = std::max(free + from_rank.compute.value, arrival + from_message.compute.value);
      if (chunk * ranks_ + rank + 1 == passes_.stages()) break;
      const double ready = std::max(free + from_rank.send.value, arrival + from_message.send.value);
      arrival = sent_[rank] = std::max(ready, sent_[rank]) + pass.message.value;
    }
    return chunk + 1 == chunks_ ? clock_.back() : arrival;
  }

  // In the order of the schedule, which is the same on all ranks.
  const std::vector<Turn>& turns(Phase phase) const { return turns_[static_cast<int>(phase)]; }

  // The micro-batches of a phase turn by turn.
  // `begins(part)`: when it may; `sampled(part, date)`: that its tokens are.
  template <class Begins, class Sampled>
  void take_turns(Phase phase, int run, Begins begins, Sampled sampled) {
    const int parts = passes_.parts(phase);
    std::vector<double> arrival(parts, 0);
    for (const Turn& each : turns(phase)) {
      const int part = each.micro_batch;
      const bool last = each.chunk + 1 == chunks_;
      if (!passes_.has_requests(phase, part)) {
        if (last) sampled(part, clock_.back());
        continue;
      }
      if (each.chunk == 0) arrival[part] = begins(part);
      arrival[part] = turn(passes_.of(phase, part), each.chunk, run, arrival[part]);
      if (last) sampled(part, arrival[part]);
    }
  }

  // The whole batch of the replica; first_token_ by prefill micro-batch.
  Seconds run() {
    clock_.assign(ranks_, 0);
    sent_.assign(ranks_, 0);
    const int micro_batches = plan_.batch.micro_batches;
    first_token_.assign(micro_batches, 0);
    std::vector<double> token(parts_, 0);  // when the part's tokens are at the first stage
    int told = 0;
    take_turns(
        Phase::kPrefill, 0, [](int) { return 0.0; },
        [&](int part, double sampled) {
          first_token_[part] = sampled;
          if (steps_ == 0) return;  // nobody waits for the tokens, and nobody sends them
          const Share done = share_of(passes_.replica().sequences, micro_batches, part);
          for (; told < parts_; ++told) {
            const Share wanted = share_of(passes_.replica().sequences, parts_, told);
            if (wanted.first + wanted.count > done.first + done.count) break;
            token[told] = tell(told, sampled);
          }
        });
    const auto begins = [&](int part) { return token[part]; };
    int left = steps_;
    // The last step's tokens go nowhere: nothing waits for their message, on its stream either.
    const auto sampled = [&](int part, double date) {
      const bool tells = left > 1 && passes_.has_requests(Phase::kDecode, part);
      if (tells) token[part] = tell(part, date);
    };
    for (int run = 0; run < passes_.runs(); ++run) {
      for (int step = passes_.steps_in(run); step > 0; --step, --left) {
        take_turns(Phase::kDecode, run, begins, sampled);
      }
    }
    return {*std::max_element(clock_.begin(), clock_.end())};
  }

  // How long a pass keeps the last stage busy.
  double on_last_stage(Phase phase, int part, int run) const {
    return passes_.has_requests(phase, part)
               ? (*passes_.of(phase, part).back().paths)[run].from_rank.compute.value
               : 0;
  }

  double tell(int part, double sampled) {
    if (passes_.stages() == 1) return sampled;
    sent_.back() = std::max(sampled, sent_.back()) + passes_.token_message(part).value;
    return sent_.back();
  }

  // From a request's first token, sampled in the prefill micro-batch, to its last, in the decode
  // micro-batch.
  double first_to_last(int micro_batch, int part) const {
    double busy = 0;  // the last stage's passes in between
    for (int later = micro_batch + 1; later < plan_.batch.micro_batches; ++later) {
      busy += on_last_stage(Phase::kPrefill, later, 0);
    }
    double trips = 0;
    for (int run = 0; run < passes_.runs(); ++run) {
      double step = 0;
      double behind = 0;  // passes of a step that come after this part's
      for (int each = 0; each < parts_; ++each) {
        const double pass = on_last_stage(Phase::kDecode, each, run);
        step += pass;
        if (each > part) behind += pass;
      }
      busy += passes_.steps_in(run) * step;
      if (run + 1 == passes_.runs()) busy -= behind;
      trips += passes_.steps_in(run) * trip_alone(part, run);
    }
    return std::max(busy, trips);
  }

  // A decode micro-batch through all stages, from its tokens to the next ones.
  double trip_alone(int part, int run) const {
    double trip = passes_.token_message(part).value;
    for (const StagePass& pass : passes_.of(Phase::kDecode, part)) {
      const bool last = &pass == &passes_.of(Phase::kDecode, part).back();
      const PassPaths& paths = (*pass.paths)[run];
      const PassPaths::Ends& from = passes_.stages() > 1 ? paths.from_message : paths.from_rank;
      trip += last ? from.compute.value : from.send.value + pass.message.value;
    }
    return trip;
  }

  // Between the ends of two decode steps of a replica the last stage executes the passes of all its
  // micro-batches, and at least one of them makes its whole trip; so it does between two tokens of
  // a request.
  void measure_steps() {
    Samples steps;
    double shortest = INFINITY;
    for (int run = 0; run < passes_.runs(); ++run) {
      double last_stage = 0;
      double trip = INFINITY;  // larger replicas have requests in all parts
      for (int part = 0; part < parts_; ++part) {
        last_stage += on_last_stage(Phase::kDecode, part, run);
        trip = std::min(trip, trip_alone(part, run));
      }
      steps.add(std::max(last_stage, trip) * kRounding, passes_.steps_in(run));
      shortest = std::min(shortest, trip * kRounding);
    }
    metrics_.decode_step_s = steps.distribution();
    metrics_.decode_step_s->mean *= kRounding;
    metrics_.itl_s = Distribution{metrics_.tpot_s->mean, shortest, shortest, shortest, shortest};
  }

  // The requests of all replicas, as if each replica had only the passes of the smallest.
  void measure_requests() {
    std::vector<double> first;
    std::vector<double> per_token;
    std::vector<std::vector<double>> gaps(plan_.batch.micro_batches,
                                          std::vector<double>(parts_, -1));
    for (const auto& [sequences, replicas] :
         {std::pair{passes_.least() + 1, passes_.larger()},
          std::pair{passes_.least(), plan_.layout.dense_data() - passes_.larger()}}) {
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
    metrics_.ttft_s.mean *= kRounding;
    if (steps_ == 0) return;
    metrics_.tpot_s = distribution_of(std::move(per_token));
    metrics_.tpot_s->mean *= kRounding;
    measure_steps();
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
    for (int stage = 0; stage < ranks_; ++stage) {
      const std::array<Bytes, 2> varying = highest(stage);
      const Bytes weights = weights_of_stage(model_, plan_, stage);
      const Bytes sum = weights + plan_.communication_buffers + varying[0] + varying[1];
      const double capacity = passes_.device(stage).memory.value;
      if (sum.value / capacity <= peak.peak_fraction) continue;
      peak.peak_fraction = sum.value / capacity;
      peak.capacity_bytes = capacity;
      peak.usable_bytes = usable_memory({capacity}, plan_).value;
      peak.peak_bytes = sum.value;
      peak.binding_rank = passes_.first_rank(stage);
      const auto category = [&](MemoryCategory of) -> double& {
        return peak.bytes[static_cast<int>(of)];
      };
      category(MemoryCategory::kWeights) = weights.value;
      category(MemoryCategory::kKvCache) = varying[0].value;
      category(MemoryCategory::kActivations) = varying[1].value;
      category(MemoryCategory::kCommunicationBuffers) = plan_.communication_buffers.value;
    }
    peak.fits = fits(peak.peak_fraction, plan_);
  }

  // KV cache and activations of a pipeline's rank where their sum is highest: in prefill, or in the
  // last decode step.
  std::array<Bytes, 2> highest(int rank) const {
    Bytes kv;
    std::array<Bytes, 2> most{};
    const auto take_turns = [&](Phase phase) {
      for (const Turn& each : turns(phase)) {
        const StagePass& pass = passes_.of(phase, each.micro_batch)[each.chunk * ranks_ + rank];
        kv += pass.kv_appended;
        if (kv + pass.activations > most[0] + most[1]) most = {kv, pass.activations};
      }
    };
    take_turns(Phase::kPrefill);
    if (steps_ == 0) return most;
    for (const Turn& each : turns(Phase::kDecode)) {
      const StagePass& pass =
          passes_.of(Phase::kDecode, each.micro_batch)[each.chunk * ranks_ + rank];
      kv += pass.kv_appended * (steps_ - 1);
    }
    take_turns(Phase::kDecode);
    return most;
  }

  const Model& model_;
  const Plan& plan_;
  StagePasses& passes_;
  const int ranks_;                               // of the pipeline
  const int chunks_;                              // of each of them
  const int steps_;                               // of decoding
  const int parts_;                               // its micro-batches
  const std::array<std::vector<Turn>, 2> turns_;  // by phase

  std::vector<double> clock_;  // by rank of the pipeline: end of its last operator
  std::vector<double> sent_;   // and of its last message
  std::vector<double> first_token_;
  Metrics metrics_;
};

}  // namespace

Bounder::Bounder(const Model& model, Cluster& cluster, const EngineTimes& engine)
    : model_(model), cluster_(cluster), kept_(model, cluster, engine) {}

Metrics Bounder::bound(const Plan& plan) {
  if (plan.batch.lengths.given) {
    // Which rank has how much to do is known by simulating only: anything may be reached.
    Metrics anything;
    anything.ranks = plan.layout.gpus();
    for (const auto rate :
         {&Metrics::prompt_tokens_per_s, &Metrics::output_tokens_per_s, &Metrics::tokens_per_s,
          &Metrics::tokens_per_ms_per_gpu, &Metrics::output_tokens_per_s_per_gpu}) {
      anything.*rate = INFINITY;
    }
    if (plan.batch.output_tokens > 1) {
      anything.tpot_s = anything.decode_step_s = anything.itl_s = Distribution{};
    }
    return anything;
  }
  StagePasses passes(model_, cluster_, kept_, plan);
  return PlanBound(model_, plan, passes).bound();
}

}  // namespace rehearse
