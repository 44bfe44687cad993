// The order in which a pipeline's ranks take micro-batches: fixed before anything runs, so that
// nobody asks during a replay and ranks may run ahead. One file for each schedule in pipeline/.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.hpp"

namespace rehearse {

// One pass of a micro-batch through one chunk of a rank's layers.
struct Turn {
  int chunk = 0;
  int micro_batch = 0;

  bool operator==(const Turn&) const = default;
};

// A pipeline has ranks x chunks stages: stage s is chunk s / ranks of rank s % ranks.
struct PipelineShape {
  int ranks = 1;
  int chunks = 1;  // of a rank ("virtual stages")
  int micro_batches = 1;

  int stages() const { return ranks * chunks; }
};

struct PipelineSchedule {
  std::string_view name;
  // Why it does not suit the shape ("needs ..."), or nothing.
  std::string (*refusal)(const PipelineShape& shape);
  // Every (chunk, micro-batch) once. REQUIRES: no refusal. A micro-batch's turn on one stage never
  // stands, on any rank, before one that has to come earlier in the pipeline: nobody waits for
  // himself.
  std::vector<Turn> (*turns)(const PipelineShape& shape, int rank);
};

PipelineShape pipeline_shape(const Layout& layout);  // of one micro-batch

std::span<const PipelineSchedule* const> pipeline_schedules();
// The first that does not refuse. REQUIRES: chunks = 1, or ranks > 1.
const PipelineSchedule& schedule_for(const PipelineShape& shape);
// What a rank of the layout's pipeline does with so many micro-batches.
std::vector<Turn> turns_of(const Layout& layout, int micro_batches, int rank);

}  // namespace rehearse
