// SGLang (managers/scheduler.py and schedule_policy.py of 2025/26, policy fcfs): a prefill batch
// goes first and alone whenever one can be formed, decodes wait; else one decode step for all.
//
// Admission expects that those who run will still get `ratio` of what they may. The ratio falls
// with every decode step; where it was too low memory runs out, some are retracted, and it rises.
#include "serving/schedulers/sglang.hpp"

#include <algorithm>

#include "serving/schedulers/schedulers.hpp"

namespace rehearse::serving {
namespace {

// SGLANG_INIT_NEW_TOKEN_RATIO, ..._MIN_..._FACTOR,
// ..._DECAY_STEPS, SGLANG_RETRACT_DECODE_STEPS (srt/environ.py).
constexpr double kFirstRatio = 0.7;
constexpr double kLeastOfFirst = 0.14;
constexpr int kStepsOfDecay = 600;
constexpr int kStepsKeptFree = 20;

}  // namespace

Sglang::Sglang(const EngineSettings& settings, Requests& requests)
    : Scheduler(settings, requests),
      first_ratio_(std::min(kFirstRatio * settings.conservativeness, 1.0)),
      least_ratio_(std::min(first_ratio_ * kLeastOfFirst, 1.0)),
      ratio_(first_ratio_),
      kv_(settings, requests) {}

bool Sglang::fits(const Offered& offered) const {
  // Once it has been retracted with some of its output, that counts as a part of its prompt.
  return offered.length() + kv_.page() < kv_.total() &&
         (settings_.chunked_prefill || offered.prompt <= settings_.max_prefill_tokens);
}

void Sglang::arrived(int request) {
  state(request).phase = Phase::kWaiting;
  if (!state(request).remote) {
    waiting_.push_back(request);
    return;
  }
  without_room_.push_back(request);
  reserve();
}

bool Sglang::has_requests() const {
  const auto unfinished = [&](int request) { return state(request).phase != Phase::kFinished; };
  return !waiting_.empty() || chunked_ >= 0 || !without_room_.empty() || holds_remote() ||
         std::any_of(prefilled_.begin(), prefilled_.end(), unfinished) ||
         std::any_of(running_.begin(), running_.end(), unfinished);
}

bool Sglang::drop_finished(std::vector<int>& requests) {
  return std::erase_if(requests,
                       [&](int request) { return state(request).phase == Phase::kFinished; }) > 0;
}

Batch Sglang::schedule() {
  merge_prefilled();
  reserve();
  join();
  Batch batch = prefill();
  last_was_prefill_ = !batch.empty();
  if (batch.empty()) batch = decode();
  if (batch.empty()) ratio_ = first_ratio_;
  scheduled(batch);
  return batch;
}

void Sglang::merge_prefilled() {
  if (!last_was_prefill_) return;
  if (chunked_ >= 0) {
    kv_.cache_unfinished(chunked_, state(chunked_).computed);
    full_ = false;
  }
  if (drop_finished(prefilled_)) full_ = false;
  // Who is only prefilled is never decoded, whether his last step has ended yet or not.
  if (std::erase_if(prefilled_, [&](int each) { return state(each).keeps_blocks; }) > 0) {
    full_ = false;
  }
  running_.insert(running_.end(), prefilled_.begin(), prefilled_.end());
  prefilled_.clear();
}

Batch Sglang::prefill() {
  Batch batch;
  if ((full_ || waiting_.empty()) && chunked_ < 0) return batch;
  const int running = static_cast<int>(running_.size());
  if (running >= settings_.max_sequences && chunked_ < 0) {
    full_ = true;
    return batch;
  }
  double still_expected = 0;
  for (const int request : running_) {
    still_expected += static_cast<double>(expected(state(request))) * ratio_;
  }
  const std::int64_t mixed = settings_.mixed_chunk ? running : 0;
  Budget budget = {static_cast<double>(kv_.memory() - mixed * kv_.page()) - still_expected,
                   kv_.memory() - mixed * kv_.page(), settings_.max_prefill_tokens - mixed,
                   (settings_.chunked_prefill ? settings_.max_tokens : kv_.total()) - mixed};
  if (chunked_ >= 0) continue_chunk(batch, budget);
  while (!waiting_.empty()) {
    if (running + static_cast<int>(batch.size()) >= settings_.max_sequences) {
      full_ = true;
      break;
    }
    const std::size_t before = batch.size();
    const Added added = add(waiting_.front(), batch, budget);
    if (batch.size() > before) waiting_.pop_front();
    if (added == Added::kNoMemory) full_ = true;
    if (added != Added::kContinue) break;
  }
  for (const Slice& slice : batch) {
    if (slice.request != chunked_) prefilled_.push_back(slice.request);
  }
  if (settings_.mixed_chunk && !batch.empty()) mix_in(batch);
  return batch;
}

void Sglang::charge(Budget& budget, std::int64_t tokens, std::int64_t new_tokens) const {
  const std::int64_t paged = kv_.pages(tokens);
  budget.total -= static_cast<double>(paged + new_tokens + kv_.page());
  budget.current -= paged + kv_.page();
  budget.input -= paged;
  budget.chunk -= paged;
}

void Sglang::continue_chunk(Batch& batch, Budget& budget) {
  const RequestState& its = state(chunked_);
  const int request = chunked_;
  const std::int64_t left = its.tokens() - its.computed;
  std::int64_t most = std::min(budget.chunk, static_cast<std::int64_t>(budget.total));
  if (most <= 0) most = budget.chunk;  // it holds memory: it has to get on
  const std::int64_t room = kv_.pages(its.computed) - its.computed + kv_.memory();
  const std::int64_t tokens = std::min({left, most, room});
  if (tokens <= 0) return;
  const bool all = tokens == left;
  const std::int64_t new_tokens = all ? std::min(its.output(), kMostExpected) : 0;
  compute(batch, request, static_cast<int>(tokens), true);
  charge(budget, tokens, new_tokens);
  if (all) chunked_ = -1;
}

Sglang::Added Sglang::add(int request, Batch& batch, Budget& budget) {
  RequestState& its = state(request);
  const RadixCache::Match found = kv_.match(request);
  const std::int64_t before = kv_.memory();
  kv_.lock(found.node);  // what it hits is not evictable any more
  const std::int64_t pinned = before - kv_.memory();
  const std::int64_t extend = its.tokens() - found.tokens;
  const std::int64_t wanted = extend + expected(its) + kv_.page();
  const auto refuse = [&](Added why) {
    kv_.unlock(found.node);
    return why;
  };
  if (static_cast<double>(wanted) >= budget.total - static_cast<double>(pinned)) {
    return refuse(Added::kNoMemory);
  }
  if (!settings_.chunked_prefill && !batch.empty() && kv_.pages(extend) >= budget.input) {
    return refuse(Added::kOther);
  }
  std::int64_t tokens = extend;
  if (kv_.pages(extend) > budget.chunk) {
    tokens = (found.tokens + budget.chunk / kv_.page() * kv_.page()) / kv_.page() * kv_.page() -
             found.tokens;
    if (tokens <= 0) return refuse(Added::kOther);
    chunked_ = request;
  }
  budget.total -= static_cast<double>(pinned);
  budget.current -= pinned;
  its.phase = Phase::kRunning;
  its.tree_node = found.node;
  its.computed = its.tree_tokens = found.tokens;
  if (its.life() == 0) its.cached = found.tokens;
  compute(batch, request, static_cast<int>(tokens), true);
  charge(budget, tokens, chunked_ == request ? 0 : std::min(its.output(), kMostExpected));
  if (budget.total <= 0 || budget.current <= 0) return Added::kNoMemory;
  return budget.input <= 0 || budget.chunk <= 0 ? Added::kOther : Added::kContinue;
}

// Mixed chunks: those who decode go along, unless memory is short.
void Sglang::mix_in(Batch& batch) {
  drop_finished(running_);
  if (kv_.for_next_tokens(running_) > kv_.memory()) return;
  for (const int request : running_) compute(batch, request, 1, false);
  prefilled_.insert(prefilled_.end(), running_.begin(), running_.end());
  running_.clear();
}

void Sglang::compute(Batch& batch, int request, int tokens, bool prompt) {
  RequestState& its = state(request);
  Slice slice = {request, tokens, its.computed, 0, prompt, true, its.life()};
  kv_.extend(request, tokens);
  slice.samples = !prompt || its.computed == its.tokens();
  batch.push_back(slice);
}

void Sglang::lower_ratio() {
  ratio_ = std::max(ratio_ - (first_ratio_ - least_ratio_) / kStepsOfDecay, least_ratio_);
}

Batch Sglang::decode() {
  Batch batch;
  const std::size_t before = running_.size();
  drop_finished(running_);
  if (running_.empty()) {
    full_ = false;
    return batch;
  }
  if (kv_.for_next_tokens(running_) > kv_.memory()) {
    retract();
  } else {
    lower_ratio();
  }
  if (running_.size() < before) full_ = false;
  kv_.make_room(kv_.for_next_tokens(running_));
  for (const int request : running_) compute(batch, request, 1, false);
  return batch;
}

// Who has the fewest tokens goes first, of those who has the longest prompt; one remains, unless
// the memory is that of requests which are not decoded yet and cannot be retracted.
void Sglang::retract() {
  std::vector<int> kept = running_;
  std::stable_sort(kept.begin(), kept.end(), [&](int a, int b) {
    if (state(a).generated != state(b).generated) return state(a).generated > state(b).generated;
    return state(a).prompt() < state(b).prompt();
  });
  const auto retract_one = [&](int request) {
    kv_.release(request);
    state(request).phase = Phase::kWaiting;
    ++state(request).preemptions;
    waiting_.push_back(request);
  };
  do {
    if (kept.size() == 1 && !holds_remote()) break;
    retract_one(kept.back());
    kept.pop_back();
  } while (kv_.for_next_tokens(kept) > kv_.memory());
  if (kv_.for_next_tokens(kept) > kv_.memory() && chunked_ >= 0) {
    retract_one(chunked_);
    chunked_ = -1;
  }
  const std::int64_t kept_free = static_cast<std::int64_t>(kept.size()) * kStepsKeptFree;
  kv_.keep_free(kept_free);
  std::erase_if(running_, [&](int each) { return state(each).phase == Phase::kWaiting; });
  std::int64_t done = 0;
  std::int64_t most = 0;
  for (const int request : running_) {
    done += state(request).generated + kStepsKeptFree;
    most += state(request).output();
  }
  ratio_ = std::min(1.0, static_cast<double>(done) / static_cast<double>(most + 1));
}

void Sglang::ended(const Batch& batch, std::int64_t step, std::vector<int>& finished) {
  for (const Slice& slice : batch) {
    RequestState& its = state(slice.request);
    if (its.life() != slice.life) {  // retracted meanwhile: its token is lost with its KV
      --its.in_flight;
      continue;
    }
    if (hand_out(slice, step) == 0) continue;
    if (its.phase == Phase::kFinished) {
      finished.push_back(slice.request);
      if (its.keeps_blocks) {
        kv_.cache_unfinished(slice.request, its.prompt());
      } else {
        kv_.cache_finished(slice.request);
      }
    } else if (slice.prompt) {
      kv_.cache_unfinished(slice.request, slice.context + slice.tokens);
    }
  }
}

std::int64_t Sglang::repeats(std::span<const Batch* const> in_flight, int period,
                             std::int64_t most) const {
  if (last_was_prefill_ || chunked_ >= 0 || !(waiting_.empty() || full_)) return 0;
  if (may_get_room() || !alike(in_flight, period, running_.size())) return 0;
  const Batch& batch = *in_flight.back();
  std::int64_t enough = 0;
  most = unfinished_for(in_flight, period, most);
  if (kv_.taken(batch, most) <= kv_.memory()) return most;
  while (enough + 1 < most) {
    const std::int64_t middle = enough + (most - enough) / 2;
    (kv_.taken(batch, middle) <= kv_.memory() ? enough : most) = middle;
  }
  return enough;
}

void Sglang::repeat(std::span<const Batch* const> in_flight, int period, std::int64_t times,
                    std::int64_t step) {
  hand_out_repeated(in_flight, period, times, step);
  const Batch& batch = *in_flight.back();
  if (batch.empty()) return;
  kv_.grow(batch, times);
  for (std::int64_t at = 0; at < times; ++at) lower_ratio();
}

Load Sglang::load() const {
  const auto finished = std::count_if(running_.begin(), running_.end(), [&](int request) {
    return state(request).phase == Phase::kFinished;
  });
  const std::size_t running = running_.size() - static_cast<std::size_t>(finished) +
                              prefilled_.size() + (chunked_ >= 0 ? 1 : 0);
  const std::size_t waiting =
      waiting_.size() + without_room_.size() + receiving_.size() + received_.size();
  return {static_cast<int>(waiting), static_cast<int>(running)};
}

std::int64_t Sglang::prompt_tokens_left() const {
  std::int64_t left = chunked_ >= 0 ? prompt_left(chunked_) : 0;
  for (const int request : waiting_) left += prompt_left(request);
  return left;
}

void Sglang::check() const {
  std::vector<int> holders = running_;
  holders.insert(holders.end(), prefilled_.begin(), prefilled_.end());
  if (chunked_ >= 0) holders.push_back(chunked_);
  holders.insert(holders.end(), receiving_.begin(), receiving_.end());
  holders.insert(holders.end(), received_.begin(), received_.end());
  kv_.check(holders);
}

namespace {

std::unique_ptr<Scheduler> make(const EngineSettings& settings, Requests& requests) {
  return std::make_unique<Sglang>(settings, requests);
}

std::string why_not(const EngineSettings& settings) {
  if (settings.stages > 1) return "SGLang's micro-batches of pipeline stages are not modelled";
  if (settings.speculation.drafts > 0) return "SGLang's speculative decoding is not modelled";
  if (settings.order != QueueOrder::kArrival) return "SGLang's other policies are not modelled";
  if (!settings.chunked_prefill) return "SGLang without chunked prefill is not modelled";
  if (settings.max_tokens % settings.block_tokens != 0) return "a chunk is whole pages";
  return "";
}

}  // namespace

const SchedulerKind kSglang = {"sglang", make, why_not, true};

}  // namespace rehearse::serving
