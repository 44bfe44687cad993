// Facts on their way to the sink, which gets them in batches and on the main stack: actors' stacks
// are too small for what a sink may do.
#pragma once

#include <cstddef>
#include <vector>

#include "replay/simgrid_engine.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

class FactBatch {
 public:
  FactBatch(SimgridEngine& engine, TimelineSink& sink) : engine_(engine), sink_(sink) {}

  void add(const Span& span) {
    spans_.push_back(span);
    if (spans_.size() >= kBatch) flush_on_main_stack();
  }

  void add(const MemoryLevel& level) {
    levels_.push_back(level);
    if (levels_.size() >= kBatch) flush_on_main_stack();
  }

  void flush() {
    for (const Span& span : spans_) sink_.span(span);
    for (const MemoryLevel& level : levels_) sink_.memory(level);
    spans_.clear();
    levels_.clear();
  }

 private:
  static constexpr std::size_t kBatch = 4096;

  void flush_on_main_stack() {
    engine_.on_main_stack([this] { flush(); });
  }

  SimgridEngine& engine_;
  TimelineSink& sink_;
  std::vector<Span> spans_;
  std::vector<MemoryLevel> levels_;
};

}  // namespace rehearse
