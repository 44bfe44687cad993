#include "service/rank_passes.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "estimate/pass_paths.hpp"

namespace rehearse {

Seconds together(std::vector<RankPass> passes, int tensor_ranks) {
  Seconds slowest;
  while (!passes.empty()) {
    std::vector<const PassProgram*> programs;
    std::vector<std::span<const Seconds>> times;
    std::vector<RankPass> others;
    for (RankPass& pass : passes) {
      if (passes.front().times.size() == pass.times.size()) {
        programs.push_back(pass.program);
        times.emplace_back(pass.times);
      } else {
        others.push_back(std::move(pass));
      }
    }
    slowest = std::max(slowest, execute_together(programs, times, tensor_ranks));
    passes = std::move(others);
  }
  return slowest;
}

}  // namespace rehearse
