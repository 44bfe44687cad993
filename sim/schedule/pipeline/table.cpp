#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "schedule/pipeline/schedules.hpp"

namespace rehearse {
namespace {

constexpr std::array kSchedules = {&kFillDrain, &kInterleaved};

}  // namespace

PipelineShape pipeline_shape(const Layout& layout) {
  return {layout.pipeline, layout.virtual_stages, 1};
}

std::span<const PipelineSchedule* const> pipeline_schedules() { return kSchedules; }

const PipelineSchedule& schedule_for(const PipelineShape& shape) {
  const auto* const found =
      std::find_if(kSchedules.begin(), kSchedules.end(),
                   [&](const PipelineSchedule* each) { return each->refusal(shape).empty(); });
  SIM_CHECK(found != kSchedules.end(), "no schedule for this pipeline");
  return **found;
}

std::vector<Turn> turns_of(const Layout& layout, int micro_batches, int rank) {
  PipelineShape shape = pipeline_shape(layout);
  shape.micro_batches = micro_batches;
  return schedule_for(shape).turns(shape, rank);
}

}  // namespace rehearse
