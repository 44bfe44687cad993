// A batch goes when it is full, the last one when no more requests come, and the next when all
// requests of the one before have ended (Yu et al. 2022, Orca, section 3). Prompts are computed in
// steps of whole requests, then all decode together; who has all its tokens leaves the steps, but
// its keys and values stay until the batch ends. A batch is cut where memory for whole lengths
// ends.
#include <algorithm>
#include <deque>

#include "serving/kv/kv_blocks.hpp"
#include "serving/schedulers/schedulers.hpp"

namespace rehearse::serving {
namespace {

class StaticBatches : public Scheduler {
 public:
  StaticBatches(const EngineSettings& settings, Requests& requests)
      : Scheduler(settings, requests), kv_(settings, requests) {}

  bool fits(const Offered& offered) const override {
    return kv_.blocks_for(offered.length() - 1) <= settings_.kv_blocks;
  }
  void arrived(int request) override {
    state(request).phase = Phase::kWaiting;
    waiting_.push_back(request);
    flush_ = false;
  }
  void no_more_come() override { flush_ = true; }
  bool has_requests() const override { return !waiting_.empty() || !batch_.empty(); }
  bool waits_for_others() const override {
    return batch_.empty() && (waiting_.empty() || !(flush_ || full()));
  }
  Batch schedule() override;
  void ended(const Batch& batch, std::int64_t step, std::vector<int>& finished) override;
  std::int64_t repeats(std::span<const Batch* const> in_flight, int period,
                       std::int64_t most) const override;
  void repeat(std::span<const Batch* const> in_flight, int period, std::int64_t times,
              std::int64_t step) override;
  Load load() const override {
    return {static_cast<int>(waiting_.size()), static_cast<int>(batch_.size())};
  }
  int used_blocks() const override { return kv_.pool().used(); }
  std::int64_t prompt_tokens_left() const override {
    std::int64_t left = 0;
    for (const int request : waiting_) left += prompt_left(request);
    for (const int request : batch_) left += prompt_left(request);
    return left;
  }
  int cached_tokens(int /*request*/) override { return 0; }
  void check() const override { kv_.check(batch_); }

 private:
  bool full() const { return static_cast<int>(waiting_.size()) >= settings_.max_sequences; }
  void form_batch();

  KvBlocks kv_;
  std::deque<int> waiting_;
  std::vector<int> batch_;
  std::size_t unfinished_ = 0;
  bool flush_ = false;  // no more come: a batch need not be full
};

void StaticBatches::form_batch() {
  if (waits_for_others()) return;
  const std::size_t most = settings_.max_sequences;
  while (!waiting_.empty() && batch_.size() < most) {
    const int request = waiting_.front();
    const std::int64_t tokens = state(request).offered->length() - 1;
    if (kv_.need(request, tokens, {}) > kv_.pool().free()) break;
    kv_.allocate(request, tokens, {});
    state(request).phase = Phase::kRunning;
    batch_.push_back(request);
    waiting_.pop_front();
  }
  unfinished_ = batch_.size();
}

Batch StaticBatches::schedule() {
  if (batch_.empty()) form_batch();
  Batch batch;
  const auto compute = [&](int request, int tokens, bool prompt) {
    RequestState& its = state(request);
    batch.push_back({request, tokens, its.computed, 0, prompt, true, its.life()});
    its.computed += tokens;
  };
  int budget = settings_.max_tokens;
  for (const int request : batch_) {
    const RequestState& its = state(request);
    if (its.computed > 0) continue;
    if (its.prompt() > budget && !batch.empty()) break;
    compute(request, its.prompt(), true);
    budget -= its.prompt();
  }
  if (batch.empty()) {
    for (const int request : batch_) {
      if (state(request).phase == Phase::kRunning) compute(request, 1, false);
    }
  }
  scheduled(batch);
  return batch;
}

void StaticBatches::ended(const Batch& batch, std::int64_t step, std::vector<int>& finished) {
  for (const Slice& slice : batch) {
    if (hand_out(slice, step) == 0 || state(slice.request).phase != Phase::kFinished) continue;
    finished.push_back(slice.request);
    --unfinished_;
  }
  if (unfinished_ > 0) return;
  for (const int request : batch_) kv_.release(request);
  batch_.clear();
}

std::int64_t StaticBatches::repeats(std::span<const Batch* const> in_flight, int period,
                                    std::int64_t most) const {
  if (!alike(in_flight, period, unfinished_)) return 0;
  return unfinished_for(in_flight, period, most);
}

void StaticBatches::repeat(std::span<const Batch* const> in_flight, int period, std::int64_t times,
                           std::int64_t step) {
  hand_out_repeated(in_flight, period, times, step);
  for (const Slice& slice : *in_flight.back()) {
    state(slice.request).computed += static_cast<int>(times);
  }
}

std::unique_ptr<Scheduler> make(const EngineSettings& settings, Requests& requests) {
  return std::make_unique<StaticBatches>(settings, requests);
}

std::string why_not(const EngineSettings& settings) {
  if (settings.stages > 1 || settings.asynchronous) {
    return "static batches with several steps in flight are not modelled";
  }
  if (settings.speculation.drafts > 0) return "static batches have no speculative decoding";
  if (settings.prefix_cache) return "static batches have no prefix cache";
  if (settings.chunked_prefill) return "static batches prefill whole prompts";
  if (settings.order != QueueOrder::kArrival) return "static batches have no priorities";
  return "";
}

}  // namespace

const SchedulerKind kStaticBatches = {"static", make, why_not};

}  // namespace rehearse::serving
