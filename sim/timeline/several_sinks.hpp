// Passes every fact on to several sinks, in the order in which they were added.
#pragma once

#include <algorithm>
#include <vector>

#include "timeline/timeline.hpp"

namespace rehearse {

class SeveralSinks : public TimelineSink {
 public:
  // Null is nobody.
  void add(TimelineSink* sink) {
    if (sink != nullptr) sinks_.push_back(sink);
  }
  void begin(const Programs& programs) override {
    for (TimelineSink* const sink : sinks_) sink->begin(programs);
  }
  void span(const Span& span) override {
    for (TimelineSink* const sink : sinks_) sink->span(span);
  }
  void operators(const OperatorRun& run) override {
    for (TimelineSink* const sink : sinks_) sink->operators(run);
  }
  void memory(const MemoryLevel& level) override {
    for (TimelineSink* const sink : sinks_) sink->memory(level);
  }
  void routing(const RoutingTotals& totals) override {
    for (TimelineSink* const sink : sinks_) sink->routing(totals);
  }
  void links(const std::vector<LinkUse>& used) override {
    for (TimelineSink* const sink : sinks_) sink->links(used);
  }
  bool takes_link_flows() const override {
    return std::any_of(sinks_.begin(), sinks_.end(),
                       [](const TimelineSink* sink) { return sink->takes_link_flows(); });
  }
  void link_flow(const LinkFlow& flow) override {
    for (TimelineSink* const sink : sinks_) {
      if (sink->takes_link_flows()) sink->link_flow(flow);
    }
  }
  void end(Seconds makespan) override {
    for (TimelineSink* const sink : sinks_) sink->end(makespan);
  }

 private:
  std::vector<TimelineSink*> sinks_;
};

}  // namespace rehearse
