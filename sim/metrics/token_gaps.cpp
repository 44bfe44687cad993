// Millions of tokens, of which most come in runs of steps one behind the other: those of a run that
// many requests share have the same gaps. So per engine it is counted how many requests have each
// gap between neighbouring steps, by marks where runs begin and end, and what memory is needed
// hangs on the steps and runs, not on the tokens. Other gaps are counted one by one.
#include "metrics/token_gaps.hpp"

#include <cstdint>
#include <vector>

namespace rehearse {
namespace {

using serving::Picoseconds;
using serving::TokenRun;

class Gaps {
 public:
  explicit Gaps(const serving::ServiceResult& result) : result_(result) {
    for (const std::vector<Picoseconds>& ends : result.handed_out) {
      marks_.emplace_back(ends.size() + 1, 0);
    }
  }

  void add(const serving::ServedRequest& request) {
    const int engine = request.replica / result_.ranks;
    const std::vector<Picoseconds>& ends = result_.handed_out[engine];
    Picoseconds before = -1;  // the token before
    if (request.first_at_prefill) before = request.first_token;
    for (const TokenRun& run : request.token_runs) {
      if (before >= 0) add(ends[run.first] - before, 1);
      const std::int64_t last = run.first + run.stride * (run.count - 1);
      if (run.stride == 0) {
        add(0, run.count - 1);
      } else if (run.stride == 1) {
        ++marks_[engine][run.first];
        --marks_[engine][last];
      } else {
        for (std::int64_t step = run.first; step < last; step += run.stride) {
          add(ends[step + run.stride] - ends[step], 1);
        }
      }
      before = ends[last];
    }
  }

  std::optional<Distribution> distribution() {
    for (std::size_t engine = 0; engine < marks_.size(); ++engine) {
      const std::vector<Picoseconds>& ends = result_.handed_out[engine];
      std::int64_t requests = 0;
      for (std::size_t step = 0; step + 1 < ends.size(); ++step) {
        requests += marks_[engine][step];
        add(ends[step + 1] - ends[step], requests);
      }
    }
    return samples_.interpolated_distribution();
  }

 private:
  void add(Picoseconds gap, std::int64_t times) {
    if (times > 0) samples_.add(serving::to_seconds(gap).value, times);
  }

  const serving::ServiceResult& result_;
  std::vector<std::vector<std::int64_t>> marks_;  // by engine and step: runs that begin less end
  Samples samples_;
};

}  // namespace

std::optional<Distribution> inter_token_latency(const serving::ServiceResult& result,
                                                Picoseconds from) {
  Gaps gaps(result);
  for (const serving::ServedRequest& request : result.requests) {
    if (request.phase == serving::Phase::kFinished && request.arrival >= from) gaps.add(request);
  }
  return gaps.distribution();
}

}  // namespace rehearse
