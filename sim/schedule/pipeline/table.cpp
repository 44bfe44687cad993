#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "schedule/pipeline/schedules.hpp"

namespace rehearse {
namespace {

constexpr std::array kSchedules = {&kFillDrain, &kInterleaved};

}  // namespace

PipelineShape pipeline_shape(const Layout& layout) { return {layout.pipeline, 1, 1}; }

std::span<const PipelineSchedule* const> pipeline_schedules() { return kSchedules; }

const PipelineSchedule& schedule_for(const PipelineShape& shape) {
  const auto* const found =
      std::find_if(kSchedules.begin(), kSchedules.end(),
                   [&](const PipelineSchedule* each) { return each->refusal(shape).empty(); });
  SIM_CHECK(found != kSchedules.end(), "no schedule for this pipeline");
  return **found;
}

}  // namespace rehearse
