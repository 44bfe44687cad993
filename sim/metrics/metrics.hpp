// What a run amounts to: the quantities of result.json. Their definitions are in
// report/summary.cpp, printed by --explain. What was not measured is absent, never 0.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/model_flops.hpp"
#include "metrics/distribution.hpp"
#include "metrics/run_accuracy.hpp"
#include "metrics/serving.hpp"
#include "metrics/token_times.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"
#include "platform/gpu_kinds.hpp"
#include "platform/platform.hpp"
#include "timeline/gpu_time.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

// Means over all ranks.
struct AxisCommunication {
  Axis axis = Axis::kTensor;
  double busy_s = 0;
  double exposed_s = 0;
  double bytes_per_rank = 0;  // sent
};

// Time in one kind of operator or communication over all layers and passes, mean over ranks.
struct OperatorTime {
  std::string name;  // "expert_up", "tp_all_reduce"
  double busy_s = 0;
};

// "expert up" -> "expert_up": as results name it.
std::string kind_of_operator(const std::string& name);

// Equal ones, but for the rounding of their sums, in the order in which they came.
void sort_longest_first(std::vector<OperatorTime>& operators);

struct MemoryPeak {
  double capacity_bytes = 0;  // of the binding rank's GPU, as its driver reports it
  double usable_bytes = 0;    // of these, what the plan may use
  double peak_bytes = 0;
  double peak_fraction = 0;  // of the capacity
  bool fits = true;
  Rank binding_rank = 0;  // the rank with the largest peak_fraction
  double peak_time_s = 0;
  std::array<double, static_cast<int>(MemoryCategory::kCount)> bytes{};  // at the peak, by category
  std::string advice;  // metrics/memory_advice.hpp; empty where it fits or nobody asked
};

// How prefill was cut into micro-batches.
struct PrefillPasses {
  int micro_batches = 1;    // of each data-parallel replica
  bool by_default = false;  // the plan leaves it open
};

// How tokens spread over experts.
struct ExpertBalance {
  std::vector<std::vector<double>> expert_loads;  // by layer (dense ones empty) and expert: copies
  std::vector<double> dropped;                    // by layer: part of its copies
  std::vector<double> rank_copies;                // by rank: copies computed
  // Of the whole run's loads, means over the MoE layers.
  double expert_max_over_mean = 1;
  double expert_variation = 0;  // coefficient of variation
  double expert_gini = 0;
  // In a pass through a layer: the copies of the busiest rank of the expert group, summed, over
  // those of the mean rank. The others wait for it. Nothing where no copy was computed.
  std::optional<double> rank_max_over_mean;
  double dropped_fraction = 0;             // of all copies
  std::optional<double> padding_fraction;  // of the copies computed
  double moved_weight_bytes = 0;           // over all ranks
  int rebalancings = 0;                    // of a layer in an expert group
  // Of the same run with uniform routing, where that was simulated.
  std::optional<double> uniform_makespan_s;
};

// How evenly data-parallel replicas work.
struct ReplicaBalance {
  std::vector<double> tokens;  // by replica: of prompts, computed
  double tokens_max_over_mean = 1;
  double padding_fraction = 0;         // of the computed prompt tokens
  std::vector<double> rank_compute_s;  // by rank
};

struct Metrics {
  // By operators on ranks. A service that was simulated by the prices of its steps knows nothing of
  // communication, operators, waits and single ranks: what is 0 below then was not measured.
  bool replayed = true;
  int ranks = 0;
  int folded_replicas = 1;  // replicas that one was simulated for
  double makespan_s = 0;
  Distribution ttft_s;
  // Nothing with a single output token; see metrics/token_times.hpp.
  std::optional<Distribution> tpot_s;
  std::optional<Distribution> decode_step_s;
  std::optional<Distribution> itl_s;
  double prompt_tokens_per_s = 0;
  double output_tokens_per_s = 0;
  double tokens_per_s = 0;
  double tokens_per_ms_per_gpu = 0;
  double output_tokens_per_s_per_gpu = 0;
  double useful_tokens_per_s = 0;  // less the part of the copies that was dropped
  RunningCost price;               // of a GPU, as far as the platform states it
  double mfu = 0;                  // model_flops
  double hfu = 0;                  // executed_flops
  // Shares of makespan x GPUs that add up to 1 (timeline/gpu_time.hpp).
  double compute_busy_fraction = 0;
  double exposed_fraction = 0;  // the network only
  double peer_wait_fraction = 0;
  double bubble_fraction = 0;
  double no_work_fraction = 0;
  std::optional<double> host_fraction;    // nothing where no engine says what its host takes
  double communication_over_compute = 0;  // mean over the ranks that compute
  std::vector<AxisCommunication> by_axis;
  std::vector<OperatorTime> operators;  // the longest first
  MemoryPeak memory;
  std::optional<PrefillPasses> prefill;    // nothing where requests arrive: batches differ
  std::optional<Serving> serving;          // nothing where all are one batch
  double gpu_compute_max_over_mean = 1;    // over all ranks: one without work counts
  bool has_experts = false;                // the model's
  std::optional<ExpertBalance> experts;    // nothing where routing is uniform
  std::optional<ReplicaBalance> replicas;  // nothing where all prompts are equal
  double model_flops = 0;  // what the model asks for, less dropped copies (graph/model_flops.hpp)
  std::vector<GpuKind> gpu_kinds;  // of the platform
  std::vector<std::string>
      model_notes;  // those of the assumptions that the model's files leave open
  std::vector<std::string> assumptions;  // metrics/assumptions.hpp
  RunAccuracy accuracy;                  // of its times
  double executed_flops = 0;  // by all ranks, padding and what several compute alike included
};

// Adds up the facts of a replay.
class Measure : public TimelineSink {
 public:
  Measure(const Model& model, const Plan& plan, const Platform& platform);

  void begin(const Programs& programs) override;
  void span(const Span& span) override;
  void operators(const OperatorRun& run) override;
  void memory(const MemoryLevel& level) override;
  void routing(const RoutingTotals& totals) override;
  void end(Seconds makespan) override;

  const Metrics& metrics() const { return metrics_; }  // after end()

 private:
  static constexpr int kCategories = static_cast<int>(MemoryCategory::kCount);
  struct RankSum {
    double copies = 0;
    double flops = 0;
    std::array<double, kAxes> busy{};
    std::array<double, kAxes> sent{};
    std::array<double, kCategories> bytes{};
    std::array<double, kCategories> bytes_at_peak{};
    double peak = 0;
    double peak_time = 0;
  };

  // A run of operators at one step, on however many ranks: what they have in common.
  struct RunTally {
    const PassProgram* pass = nullptr;
    std::vector<std::int32_t> instructions;
    double step = -1;
    bool grows = false;    // with the step
    bool samples = false;  // at its end
    std::int64_t executions = 0;
    double flops = 0;               // of one execution
    std::vector<double> durations;  // by operator
  };

  RunTally& tally_of(const OperatorRun& run);
  static void renew(RunTally& tally, const OperatorRun& run);
  void add_operators(RunTally& tally);
  void add_compute(const Span& span, const Instruction& instruction, RankSum& sum);
  void add_communication(const Span& span, const Instruction& instruction, RankSum& sum);
  void add_tokens(Rank rank, int action, double step, Seconds date);
  void sum_requests();
  void sum_idle_time(double makespan);
  void sum_ranks(double makespan);
  void sum_replicas();
  void find_memory_peak();
  void sum_operators();
  void count_all_replicas();

  const Plan& plan_;
  const Platform& platform_;
  const double prompt_tokens_;
  const double output_tokens_;
  const Dtype dtype_;
  const ModelFlops model_flops_;
  const Programs* programs_ = nullptr;
  std::vector<RankSum> sums_;
  std::vector<RunTally> tallies_;  // by OperatorRun::number
  std::vector<OperatorTime> operators_;
  std::vector<int> operator_of_name_;  // index in operators_, by index in Programs::names
  GpuTimes times_;
  TokenTimes tokens_;
  Metrics metrics_;
};

}  // namespace rehearse
