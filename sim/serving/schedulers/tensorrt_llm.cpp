// TensorRT-LLM's in-flight batching (capacityScheduler.cpp and microBatchScheduler.cpp, docs at
// 1.4.0rc4). First the capacity policy says who may be in the step by memory, then generation
// requests take their tokens and contexts what remains of the limit, in order of arrival.
//
// GUARANTEED_NO_EVICT starts a request when its whole length has room beside what the running ones
// will still need; MAX_UTILIZATION looks at the next step alone and, when that does not fit, pauses
// the request that started last, whose blocks are freed and whose tokens are computed again.
#include <algorithm>

#include "base/error.hpp"
#include "serving/kv/kv_blocks.hpp"
#include "serving/schedulers/schedulers.hpp"

namespace rehearse::serving {
namespace {

class TensorRtLlm : public Scheduler {
 public:
  TensorRtLlm(const EngineSettings& settings, Requests& requests)
      : Scheduler(settings, requests), kv_(settings, requests) {}

  bool fits(const Offered& offered) const override;
  void arrived(int request) override;
  bool has_requests() const override { return !active_.empty(); }
  Batch schedule() override;
  void ended(const Batch& batch, std::int64_t step, std::vector<int>& finished) override;
  std::int64_t repeats(std::span<const Batch* const> in_flight, int period,
                       std::int64_t most) const override;
  void repeat(std::span<const Batch* const> in_flight, int period, std::int64_t times,
              std::int64_t step) override;
  Load load() const override;
  int used_blocks() const override { return kv_.pool().used(); }
  std::int64_t prompt_tokens_left() const override;
  int cached_tokens(int request) override {
    return kv_.hits(request).blocks * settings_.block_tokens;
  }
  void check() const override;

 private:
  bool started(int request) const { return state(request).phase == Phase::kRunning; }
  // Its prompt is computed, and every token of it or a step in flight gives the next.
  bool generates(int request) const {
    const RequestState& its = state(request);
    const int known = its.generated + its.placeholders;
    return started(request) && known > 0 && its.computed >= its.prompt() + known - 1;
  }
  // The steps that a generation request has to have room for (twoStepsLookAhead).
  int ahead() const { return settings_.asynchronous ? 2 : 1; }

  std::vector<int> without_eviction();
  std::vector<int> with_pauses();
  std::int64_t needed_next(int request);
  void pause(int request);
  void generate(const std::vector<int>& able, Batch& batch);
  void compute_contexts(const std::vector<int>& able, Batch& batch);
  void compute(Batch& batch, int request, int tokens, bool prompt);

  KvBlocks kv_;
  std::vector<int> active_;  // in order of arrival
  int budget_ = 0;
  KvBlocks::Hits blocked_;  // of the first that found no room
  bool disturbed_ = false;  // the last pass paused, or passed over one that comes back
};

bool TensorRtLlm::fits(const Offered& offered) const {
  // Room for its whole length, and where a step is scheduled ahead for the one it does not need.
  const int spare = settings_.asynchronous ? 1 : 0;
  // A prompt that is not cut has to fit a step; with what it got before, where it may be paused.
  const bool evicts = settings_.capacity == CapacityPolicy::kMaxUtilization;
  const int uncut = evicts ? offered.length() - 1 : offered.prompt;
  return kv_.blocks_for(offered.length() + spare) <= settings_.kv_blocks &&
         (settings_.chunked_prefill || uncut <= settings_.max_tokens);
}

void TensorRtLlm::arrived(int request) {
  state(request).phase = Phase::kWaiting;
  active_.push_back(request);
}

Batch TensorRtLlm::schedule() {
  Batch batch;
  budget_ = settings_.max_tokens;
  disturbed_ = false;
  blocked_ = {};
  const bool evicts = settings_.capacity == CapacityPolicy::kMaxUtilization;
  const std::vector<int> able = evicts ? with_pauses() : without_eviction();
  generate(able, batch);
  compute_contexts(able, batch);
  scheduled(batch);
  return batch;
}

std::vector<int> TensorRtLlm::without_eviction() {
  std::vector<int> able;
  std::int64_t free = kv_.pool().free();
  const std::size_t most = settings_.max_sequences;
  for (const int request : active_) {
    if (!started(request)) continue;
    const RequestState& its = state(request);
    able.push_back(request);
    free -=
        std::max(0, kv_.blocks_for(its.offered->length()) - static_cast<int>(its.blocks.size()));
  }
  for (const int request : active_) {
    if (started(request)) continue;
    if (able.size() >= most) break;
    const KvBlocks::Hits hits = kv_.hits(request);
    const int needs = kv_.need(request, state(request).offered->length(), hits);
    if (needs > free) {
      blocked_ = hits;
      break;
    }
    free -= needs;
    able.push_back(request);
  }
  return able;
}

std::int64_t TensorRtLlm::needed_next(int request) {
  const RequestState& its = state(request);
  if (!started(request)) return kv_.need(request, its.tokens(), kv_.hits(request));
  if (!generates(request)) return 0;  // a context holds blocks for all of it
  const std::int64_t tokens = std::min(its.computed + ahead(), its.offered->length());
  return kv_.need(request, tokens, {});
}

std::vector<int> TensorRtLlm::with_pauses() {
  std::vector<int> able;
  std::int64_t promised = 0;
  const std::size_t most = settings_.max_sequences;
  std::size_t end = active_.size();
  for (std::size_t at = 0; at < end;) {
    const int request = active_[at];
    if (state(request).in_flight > 0 && !started(request)) {
      disturbed_ = true;  // paused; its last token comes first
      ++at;
      continue;
    }
    const std::int64_t needs = needed_next(request);
    if (able.size() < most && promised + needs <= kv_.pool().free()) {
      promised += needs;
      able.push_back(request);
      ++at;
      continue;
    }
    std::size_t last = end;
    while (last > at && !started(active_[last - 1])) --last;
    if (last == at) {
      if (!started(request)) blocked_ = kv_.hits(request);
      break;
    }
    end = last - 1;
    pause(active_[end]);
  }
  return able;
}

void TensorRtLlm::pause(int request) {
  RequestState& its = state(request);
  kv_.release(request);
  its.phase = Phase::kWaiting;
  its.computed = its.placeholders = 0;
  ++its.preemptions;
  disturbed_ = true;
}

void TensorRtLlm::compute(Batch& batch, int request, int tokens, bool prompt) {
  RequestState& its = state(request);
  Slice slice = {request, tokens, its.computed, 0, prompt, true, its.life()};
  its.computed += tokens;
  slice.samples = !prompt || its.computed >= its.tokens();
  its.placeholders += slice.samples ? 1 : 0;
  batch.push_back(slice);
  budget_ -= tokens;
}

void TensorRtLlm::generate(const std::vector<int>& able, Batch& batch) {
  for (const int request : able) {
    if (!generates(request)) continue;
    if (budget_ < 1 || static_cast<int>(batch.size()) >= settings_.max_sequences) return;
    kv_.allocate(request, state(request).computed + 1, {});
    compute(batch, request, 1, false);
  }
}

void TensorRtLlm::compute_contexts(const std::vector<int>& able, Batch& batch) {
  for (const int request : able) {
    RequestState& its = state(request);
    if (generates(request)) continue;
    if (static_cast<int>(batch.size()) >= settings_.max_sequences) return;
    const KvBlocks::Hits hits = started(request) ? KvBlocks::Hits() : kv_.hits(request);
    const int done = started(request) ? its.computed : hits.blocks * settings_.block_tokens;
    const int left = its.tokens() - done;
    int tokens = std::min(left, budget_);
    if (tokens < left) {
      tokens =
          settings_.chunked_prefill ? tokens / settings_.block_tokens * settings_.block_tokens : 0;
    }
    if (tokens <= 0) return;
    if (!started(request)) {
      kv_.allocate(request, its.tokens(), hits);
      its.phase = Phase::kRunning;
      its.computed = done;
      if (its.life() == 0) its.cached = done;
    }
    compute(batch, request, tokens, true);
  }
}

void TensorRtLlm::ended(const Batch& batch, std::int64_t step, std::vector<int>& finished) {
  const std::size_t others = finished.size();
  for (const Slice& slice : batch) {
    RequestState& its = state(slice.request);
    const bool same = its.life() == slice.life && its.phase == Phase::kRunning;
    if (hand_out(slice, step) > 0 && its.phase == Phase::kFinished) {
      finished.push_back(slice.request);
    } else if (same) {
      kv_.publish(slice.request, slice.context + slice.tokens);
    }
  }
  if (finished.size() == others) return;
  for (std::size_t at = others; at < finished.size(); ++at) kv_.release(finished[at]);
  std::erase_if(active_, [&](int request) { return state(request).phase == Phase::kFinished; });
}

std::int64_t TensorRtLlm::repeats(std::span<const Batch* const> in_flight, int period,
                                  std::int64_t most) const {
  if (disturbed_) return 0;
  const auto running =
      std::count_if(active_.begin(), active_.end(), [&](int request) { return started(request); });
  if (!alike(in_flight, period, static_cast<std::size_t>(running))) return 0;
  if (any_tells(active_) || blocked_.may_change()) return 0;
  most = unfinished_for(in_flight, period, most);
  const int more = ahead() - 1;
  return std::max<std::int64_t>(0, kv_.enough_for(in_flight, period, most + more) - more);
}

void TensorRtLlm::repeat(std::span<const Batch* const> in_flight, int period, std::int64_t times,
                         std::int64_t step) {
  kv_.grow(in_flight, period, times);
  hand_out_repeated(in_flight, period, times, step);
  for (const Slice& slice : *in_flight.back()) {
    RequestState& its = state(slice.request);
    its.computed += static_cast<int>(times);
    // What the steps in flight write is not there yet.
    const int unwritten = static_cast<int>(in_flight.size());
    kv_.publish(slice.request, its.computed - unwritten);
  }
}

Load TensorRtLlm::load() const {
  const auto running =
      std::count_if(active_.begin(), active_.end(), [&](int request) { return started(request); });
  return {static_cast<int>(active_.size()) - static_cast<int>(running), static_cast<int>(running)};
}

std::int64_t TensorRtLlm::prompt_tokens_left() const {
  std::int64_t left = 0;
  for (const int request : active_) left += prompt_left(request);
  return left;
}

void TensorRtLlm::check() const { kv_.check(active_); }

std::unique_ptr<Scheduler> make(const EngineSettings& settings, Requests& requests) {
  return std::make_unique<TensorRtLlm>(settings, requests);
}

std::string why_not(const EngineSettings& settings) {
  if (settings.stages > 1)
    return "TensorRT-LLM's micro-batches of pipeline stages are not modelled";
  if (settings.speculation.drafts > 0) return "TensorRT-LLM's speculative decoding is not modelled";
  if (settings.chunked_prefill && settings.max_tokens < settings.block_tokens) {
    return "TensorRT-LLM's chunks are whole blocks: a step needs the tokens of one";
  }
  if (settings.order != QueueOrder::kArrival) return "TensorRT-LLM's priorities are not modelled";
  return "";
}

}  // namespace

const SchedulerKind kTensorRtLlm = {"tensorrt_llm", make, why_not};

}  // namespace rehearse::serving
