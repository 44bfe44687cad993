// One replay with all its facts kept.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plan/plan.hpp"
#include "program/program.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

class RecordedRun : public TimelineSink {
 public:
  void begin(const Programs&) override { ++begun; }
  void span(const Span& span) override {
    spans.push_back(span);
    spans.back().executed = nullptr;  // they outlive the programs
  }
  void operators(const OperatorRun& run) override {
    runs.push_back(run);
    runs.back().ends = nullptr;  // they hold for this call only
    TimelineSink::operators(run);
  }
  void memory(const MemoryLevel& level) override { levels.push_back(level); }
  void routing(const RoutingTotals& totals) override { routed = totals; }
  void links(const std::vector<LinkUse>& used) override { link_use = used; }
  bool takes_link_flows() const override { return true; }
  void link_flow(const LinkFlow& flow) override { link_flows.push_back(flow); }
  void end(Seconds at) override {
    makespan = at;
    ++ended;
  }

  // The rank's span of that instruction; fails the caller when it was not executed exactly once in
  // that step.
  const Span& of(Rank rank, int instruction, int step = 0) const;

  std::vector<Span> spans;
  std::vector<OperatorRun> runs;  // their spans are above
  std::vector<MemoryLevel> levels;
  std::vector<LinkUse> link_use;
  std::vector<LinkFlow> link_flows;
  RoutingTotals routed;  // where routing is not uniform
  Seconds makespan;
  int begun = 0;
  int ended = 0;
};

// Replays on the platform with the given outermost zone. SimGrid: once per process.
RecordedRun run(const Programs& programs, const std::string& zone,
                NetworkLevelName level = NetworkLevelName::kFluid);

// What `code` returns in a process of its own; what it throws comes out as std::runtime_error.
std::vector<double> in_child(const std::function<std::vector<double>()>& code);

// The makespan of a replay in a process of its own.
double makespan_in_child(const Programs& programs, const std::string& zone,
                         NetworkLevelName level = NetworkLevelName::kFluid);

}  // namespace rehearse
