// Every rank has several chunks of layers. It takes as many micro-batches as there are ranks
// through its first chunk, then the same through the next, and so on; then the next micro-batches
// (Narayanan et al. 2021, section 2.2, the forward half). By the time a rank has sent the last of a
// group on, the first comes back for the next chunk: the pipeline fills in ranks - 1 passes of a
// chunk instead of as many of a whole rank's layers, and sends chunks times as many messages.
#include <algorithm>

#include "schedule/pipeline/schedules.hpp"

namespace rehearse {
namespace {

std::string refusal(const PipelineShape& shape) {
  return shape.ranks > 1 ? "" : "needs several ranks";
}

std::vector<Turn> turns(const PipelineShape& shape, int /*rank*/) {
  std::vector<Turn> turns;
  turns.reserve(static_cast<std::size_t>(shape.chunks) * shape.micro_batches);
  for (int first = 0; first < shape.micro_batches; first += shape.ranks) {
    const int end = std::min(first + shape.ranks, shape.micro_batches);
    for (int chunk = 0; chunk < shape.chunks; ++chunk) {
      for (int part = first; part < end; ++part) turns.push_back({chunk, part});
    }
  }
  return turns;
}

}  // namespace

const PipelineSchedule kInterleaved = {"interleaved", refusal, turns};

}  // namespace rehearse
