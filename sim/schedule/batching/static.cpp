// A batch goes when it is full, the last one when no more requests come; the engine takes the next
// when all requests of the one before have ended (TensorRT-LLM's STATIC_BATCH; the "static
// batching" of Yu et al. 2022, Orca, section 3). Who is in a batch depends on arrivals only.
#include <algorithm>

#include "schedule/batching/schedulers.hpp"

namespace rehearse {
namespace {

class StaticBatching : public BatchScheduler {
 public:
  explicit StaticBatching(const EngineLimits& limits) : most_(limits.max_sequences) {}

  void arrived(int request) override { waiting_.push_back(request); }
  void no_more_come() override { all_are_there_ = true; }

  std::vector<Decision> decide(Seconds now) override {
    std::vector<Decision> decisions;
    const std::size_t full = static_cast<std::size_t>(most_);
    while (waiting_.size() >= full || (all_are_there_ && !waiting_.empty())) {
      const auto end =
          waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(full, waiting_.size()));
      decisions.push_back({now, {waiting_.begin(), end}});
      waiting_.erase(waiting_.begin(), end);
    }
    return decisions;
  }

 private:
  const int most_;
  bool all_are_there_ = false;
  std::vector<int> waiting_;
};

std::unique_ptr<BatchScheduler> make(const EngineLimits& limits) {
  return std::make_unique<StaticBatching>(limits);
}

}  // namespace

const BatchSchedulerKind kStaticBatching = {"static", true, make};

}  // namespace rehearse
