#include "serving/request.hpp"

namespace rehearse::serving {

void RequestState::hand_out(std::int64_t step, int count) {
  if (count == 1) {
    hand_out_run(step, 1, 1);
    return;
  }
  token_runs.push_back({step, 0, count});
  generated += count;
}

void RequestState::hand_out_run(std::int64_t first, std::int64_t stride, std::int64_t count) {
  generated += static_cast<int>(count);
  if (!token_runs.empty()) {
    TokenRun& last = token_runs.back();
    const std::int64_t gap = first - (last.first + last.stride * (last.count - 1));
    if (last.count == 1 && (count == 1 || gap == stride)) last.stride = gap;
    if (last.stride == gap && (count == 1 || gap == stride)) {
      last.count += count;
      return;
    }
  }
  token_runs.push_back({first, stride, count});
}

}  // namespace rehearse::serving
