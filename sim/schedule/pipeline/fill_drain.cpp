// Every rank takes the micro-batches in order (GPipe, Huang et al. 2019, without its backward
// half).
#include "schedule/pipeline/schedules.hpp"

namespace rehearse {
namespace {

std::string refusal(const PipelineShape& shape) {
  return shape.chunks == 1 ? "" : "needs one chunk of layers on a rank";
}

std::vector<Turn> turns(const PipelineShape& shape, int /*rank*/) {
  std::vector<Turn> turns;
  turns.reserve(shape.micro_batches);
  for (int part = 0; part < shape.micro_batches; ++part) turns.push_back({0, part});
  return turns;
}

}  // namespace

const PipelineSchedule kFillDrain = {"fill_drain", refusal, turns};

}  // namespace rehearse
