// What report.html shows of a run, added up while its facts stream by: memory is bounded, whatever
// the number of spans, and grows with the ranks only by a few numbers each. Where one replica was
// simulated for others that are alike, everything is said of all of them: a rank that is shown has
// the timeline of the one that was simulated for it, and sums are those of all ranks.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "html/over_time.hpp"
#include "html/timeline_slices.hpp"
#include "timeline/gpu_time.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

// All executions of an operator or collective (its name without the layer) in one phase.
struct OperatorTotal {
  std::uint16_t name = 0;  // index in RunRecorder::operator_names
  Phase phase{};
  bool communication = false;
  Axis axis = Axis::kCount;  // of communication
  OperatorClass op_class = OperatorClass::kGemm;
  double busy_s = 0;  // summed over the ranks
  double flops = 0;
  double bytes = 0;  // compute: memory traffic; communication: sent
  std::int64_t spans = 0;
};

// Copies of tokens that each expert got, layer by layer. Empty where routing is uniform.
struct ExpertLoad {
  std::vector<int> layers;  // of the model: those that have experts
  int experts = 0;
  std::vector<double> copies;  // layers x experts
};

// REQUIRES: the contract of TimelineSink. Results are complete after end().
class RunRecorder : public TimelineSink {
 public:
  // What a page can hold and a browser draws without delay (tests/browser): slices have 36 bytes.
  static constexpr std::size_t kMostSlices = std::size_t{1} << 18;
  explicit RunRecorder(std::size_t most_slices = kMostSlices) : most_slices_(most_slices) {}

  void begin(const Programs& programs) override;
  void span(const Span& span) override;
  void operators(const OperatorRun& run) override;
  void memory(const MemoryLevel& level) override;
  void routing(const RoutingTotals& totals) override;
  void links(const std::vector<LinkUse>& used) override { links_ = used; }
  bool takes_link_flows() const override { return true; }
  void link_flow(const LinkFlow& flow) override;
  void end(Seconds makespan) override;

  double makespan() const { return makespan_; }
  int ranks() const { return ranks_; }  // of the whole plan
  // Of which one was simulated.
  int alike_replicas() const { return alike_replicas_; }
  // The ranks that have a row on the page, by row: all, or every n-th where there are more than
  // 1,024.
  const std::vector<Rank>& shown() const { return shown_; }
  const std::vector<std::string>& shown_names() const { return shown_names_; }
  const GpuTime& time_of(std::size_t row) const { return times_.of_ranks()[images_[row]]; }
  // Where the row's timeline is: rows of ranks that are alike share one.
  std::size_t recorded(std::size_t row) const {
    return static_cast<std::size_t>(recorded_of_[images_[row]]);
  }
  const std::vector<std::string>& operator_names() const { return operator_names_; }
  const std::vector<OperatorTotal>& operators() const { return operators_; }
  // Tracks: recorded x kStreams + stream.
  const SliceStore& slices() const { return *slices_; }
  // By recorded.
  const MemoryOverTime& memory_over_time() const { return *memory_; }
  // Rows: seconds of compute, then seconds by axis, then bytes sent by axis; sums over all ranks.
  const SumsOverTime& activity() const { return *activity_; }

  const ExpertLoad& experts() const { return experts_; }
  const std::vector<LinkUse>& link_use() const { return links_; }
  // Rows: bytes over a link, by LinkFlow::link; of the first 8,192.
  const SumsOverTime& link_bytes() const { return link_bytes_; }

 private:
  static constexpr std::size_t kLinkIntervals = 128;  // 1 kB a link
  // What every execution of an action has in common.
  struct ActionInfo {
    std::size_t totals = 0;  // index in totals_
    std::int32_t micro_batch = -1;
  };

  std::vector<ActionInfo> info_of(const Programs& programs, const Program& program);
  std::uint16_t total_of(const Programs& programs, const Instruction& instruction, Phase phase);
  void choose_rows(const Programs& programs);
  // A slice whose dates, amount, wait, layer and operator are there.
  void show(Rank rank, Stream stream, const ActionInfo& info, double step, TimelineSlice slice);

  const std::size_t most_slices_;
  const Programs* programs_ = nullptr;
  double makespan_ = 0;
  int ranks_ = 0;
  int alike_replicas_ = 1;
  std::vector<Rank> shown_;
  std::vector<std::string> shown_names_;
  std::vector<Rank> images_;               // by row: the rank that was simulated for it
  std::vector<std::int32_t> recorded_of_;  // by rank that was simulated; -1: no row wants it
  GpuTimes times_;
  std::vector<std::string> operator_names_;
  std::vector<OperatorTotal> operators_;
  std::vector<std::vector<ActionInfo>> infos_;  // by program and action
  // By pass and phase (that of a message of its own is the one of the pass before it), and by
  // instruction: index in operators_.
  std::vector<std::vector<std::uint16_t>> totals_;
  ExpertLoad experts_;
  std::vector<LinkUse> links_;
  SumsOverTime link_bytes_{0, kLinkIntervals};
  std::optional<SliceStore> slices_;
  std::optional<MemoryOverTime> memory_;
  std::optional<SumsOverTime> activity_;
};

}  // namespace rehearse
