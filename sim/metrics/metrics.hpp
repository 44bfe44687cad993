// What a run amounts to: the quantities of result.json. Their definitions are in
// report/summary.cpp, printed by --explain.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "layout/plan.hpp"
#include "model/model.hpp"
#include "platform/platform.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

// Seconds. Percentiles are nearest-rank: the smallest value with at least that share of the values
// at or below it.
struct Distribution {
  double mean = 0;
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double max = 0;
};
Distribution distribution_of(std::vector<double> values);

// Means over ranks.
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

// "L3 expert up" -> "expert_up": the operator of every layer.
std::string kind_of_operator(const std::string& name);

struct MemoryPeak {
  double capacity_bytes = 0;  // of the binding rank's GPU
  double peak_bytes = 0;
  double peak_fraction = 0;
  bool fits = true;
  Rank binding_rank = 0;  // the rank with the largest peak_fraction
  double peak_time_s = 0;
  std::array<double, static_cast<int>(MemoryCategory::kCount)> bytes{};  // at the peak, by category
};

// How tokens spread over experts; where routing is uniform, `counted` is false.
struct ExpertBalance {
  bool counted = false;
  std::vector<std::vector<double>> expert_loads;  // by layer (dense ones empty) and expert: copies
  std::vector<double> dropped;                    // by layer: part of its copies
  std::vector<double> rank_copies;                // by rank: copies computed
  // Of the whole run's loads, means over the MoE layers.
  double expert_max_over_mean = 1;
  double expert_variation = 0;  // coefficient of variation
  double expert_gini = 0;
  // In a pass through a layer: the copies of the busiest rank of the expert group, summed, over
  // those of the mean rank. The others wait for it.
  double rank_max_over_mean = 1;
  double dropped_fraction = 0;    // of all copies
  double padding_fraction = 0;    // of the copies computed
  double moved_weight_bytes = 0;  // over all ranks
  int rebalancings = 0;           // of a layer in an expert group
  double uniform_makespan_s = 0;  // of the same run with uniform routing; 0: not simulated
};

// How evenly data-parallel replicas work; counted where prompts differ in length.
struct ReplicaBalance {
  bool counted = false;
  std::vector<double> tokens;  // by replica: of prompts, computed
  double tokens_max_over_mean = 1;
  double padding_fraction = 0;         // of the computed prompt tokens
  std::vector<double> rank_compute_s;  // by rank
};

struct Metrics {
  int ranks = 0;
  int folded_replicas = 1;  // replicas that one was simulated for
  double makespan_s = 0;
  Distribution ttft_s;
  Distribution tpot_s;  // zeros when every request has a single output token
  double prompt_tokens_per_s = 0;
  double output_tokens_per_s = 0;
  double tokens_per_s = 0;
  double tokens_per_ms_per_gpu = 0;
  double mfu = 0;
  double compute_busy_fraction = 0;
  double bubble_fraction = 0;
  double communication_over_compute = 0;
  double exposed_fraction = 0;
  double peer_wait_fraction = 0;  // part of exposed_fraction spent waiting for late members
  std::vector<AxisCommunication> by_axis;
  std::vector<OperatorTime> operators;  // the longest first
  MemoryPeak memory;
  double gpu_compute_max_over_mean = 1;
  ExpertBalance experts;
  ReplicaBalance replicas;
  double model_flops = 0;  // useful FLOPs executed, all ranks
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
    double compute = 0;
    double copies = 0;
    double flops = 0;
    double pipeline_wait = 0;  // for a message that had not been sent
    double peer_wait = 0;      // for members that were not ready
    double last_end = 0;       // of its last compute
    std::array<double, kAxes> busy{};
    std::array<double, kAxes> exposed{};
    std::array<double, kAxes> sent{};
    std::array<double, kCategories> bytes{};
    std::array<double, kCategories> bytes_at_peak{};
    double peak = 0;
    double peak_time = 0;
  };

  // A run of operators at one step, on however many ranks: what they have in common.
  struct RunTally {
    int program = 0;
    int first = 0;
    int step = -1;
    bool grows = false;    // with the step
    bool samples = false;  // at its end
    std::int64_t executions = 0;
    double useful_flops = 0;        // of one execution
    std::vector<double> durations;  // by operator
  };

  RunTally& tally_of(const OperatorRun& run);
  void renew(RunTally& tally, const OperatorRun& run) const;
  void add_operators(RunTally& tally);
  static void add_stall(Axis stalled_on, Seconds stall, Seconds idle_from, Seconds transfer_start,
                        RankSum& sum);
  void add_compute(const Span& span, const Instruction& instruction, RankSum& sum);
  void add_communication(const Span& span, const Instruction& instruction, RankSum& sum);
  void add_tokens(Rank rank, const Instruction& instruction, Seconds date);
  void sum_requests();
  void sum_ranks(double makespan);
  void sum_replicas();
  void find_memory_peak();
  void sum_operators();

  const Plan& plan_;
  const Platform& platform_;
  const double prompt_tokens_;
  const double batch_tokens_;
  const Dtype dtype_;
  const Programs* programs_ = nullptr;
  std::vector<RankSum> sums_;
  std::vector<RunTally> tallies_;  // by OperatorRun::number
  std::vector<OperatorTime> operators_;
  std::vector<int> operator_of_name_;  // index in operators_, by index in Programs::names
  std::vector<double> first_token_;    // by request
  std::vector<double> last_token_;
  Metrics metrics_;
};

}  // namespace rehearse
