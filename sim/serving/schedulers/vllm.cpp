// vLLM V1 (vllm/v1/core/sched/scheduler.py and async_scheduler.py, main of mid-2026).
//
// There is no prefill and no decode: a request wants the tokens that are not computed yet. A pass
// walks those that run, in their order, then, if nobody had to be preempted, those that wait, until
// the budget of tokens is spent. Preempted requests lose all their blocks and come back as prompts
// of all their tokens.
//
// A request whose prompt was computed elsewhere gets blocks for all of it when it would be
// admitted, is set aside until they are filled, and then runs. It does not look for its prompt in
// the cache. It holds blocks meanwhile that nobody can take from it, so those that are filled go
// before all others that wait, and need no block more: vLLM let them queue behind requests that had
// no room, and hung (issues 45388 and 57104 of 2026).
#include <algorithm>
#include <cmath>
#include <deque>
#include <tuple>

#include "base/error.hpp"
#include "serving/kv/kv_blocks.hpp"
#include "serving/schedulers/schedulers.hpp"

namespace rehearse::serving {
namespace {

class Vllm : public Scheduler {
 public:
  Vllm(const EngineSettings& settings, Requests& requests)
      : Scheduler(settings, requests), kv_(settings, requests) {}

  bool fits(const Offered& offered) const override;
  void arrived(int request) override;
  bool has_requests() const override {
    return !waiting_.empty() || !running_.empty() || !receiving_.empty() || !received_.empty();
  }
  Batch schedule() override;
  void ended(const Batch& batch, std::int64_t step, std::vector<int>& finished) override;
  std::int64_t repeats(std::span<const Batch* const> in_flight, int period,
                       std::int64_t most) const override;
  void repeat(std::span<const Batch* const> in_flight, int period, std::int64_t times,
              std::int64_t step) override;
  void received(int request) override;
  void let_go(int request) override { kv_.release(request); }
  Load load() const override {
    return {static_cast<int>(waiting_.size() + receiving_.size() + received_.size()),
            static_cast<int>(running_.size())};
  }
  int used_blocks() const override { return kv_.pool().used(); }
  std::int64_t prompt_tokens_left() const override;
  int cached_tokens(int request) override {
    return state(request).remote ? 0 : kv_.hits(request).blocks * settings_.block_tokens;
  }
  void check() const override;

 private:
  // Why a pass admitted nobody more.
  enum class Stop { kNoneWait, kSequences, kWholePrompt, kChunk, kBudget, kPreempted, kOther };

  bool tracks_placeholders() const { return settings_.asynchronous && settings_.stages == 1; }
  int lookahead() const { return settings_.speculation.drafts; }
  int wanted(const RequestState& its) const;
  void run_on(Batch& batch);
  bool make_room(Batch& batch, int request, std::int64_t tokens);
  void preempt(Batch& batch, std::size_t victim);
  void enqueue(int request, bool again);
  void in_order(std::deque<int>& queue, int request) const;
  void admit(Batch& batch);
  int kept_free() const;
  bool reserve(int request);
  void go_on(Batch& batch);
  // How many tokens of it a pass with this budget computes; 0: it has to wait.
  int admissible(int request);
  int capped(int tokens) const;
  void update_after_schedule(Batch& batch);
  bool earlier(int a, int b) const;

  KvBlocks kv_;
  std::deque<int> waiting_;
  std::vector<int> running_;
  std::vector<int> receiving_;  // their blocks are being filled from elsewhere
  std::deque<int> received_;    // theirs are: they wait for a place
  // Of the pass that is under way, or was the last.
  int budget_ = 0;
  std::size_t walk_ = 0;  // where the walk over running_ is
  Stop stop_ = Stop::kNoneWait;
  KvBlocks::Hits hits_;
};

bool Vllm::fits(const Offered& offered) const {
  // A prompt that is not cut has to fit a step, with what it got before it was preempted, too.
  return kv_.blocks_for(offered.length() - 1 + 2 * lookahead()) <= settings_.kv_blocks &&
         (settings_.chunked_prefill || offered.length() - 1 <= settings_.max_tokens);
}

bool Vllm::earlier(int a, int b) const {
  const auto rank = [&](int request) {
    return std::tuple(state(request).offered->priority, state(request).arrival,
                      state(request).queue_rank);
  };
  return rank(a) < rank(b);
}

void Vllm::enqueue(int request, bool again) {
  state(request).phase = Phase::kWaiting;
  if (again && settings_.order == QueueOrder::kArrival) {
    waiting_.push_front(request);
  } else {
    in_order(waiting_, request);
  }
}

void Vllm::in_order(std::deque<int>& queue, int request) const {
  const auto place = settings_.order == QueueOrder::kPriority
                         ? std::upper_bound(queue.begin(), queue.end(), request,
                                            [&](int a, int b) { return earlier(a, b); })
                         : queue.end();
  queue.insert(place, request);
}

void Vllm::arrived(int request) { enqueue(request, false); }

int Vllm::capped(int tokens) const {
  const int threshold = settings_.long_prefill_threshold;
  return threshold > 0 ? std::min(tokens, threshold) : tokens;
}

int Vllm::wanted(const RequestState& its) const {
  // Enough steps are in flight for all the tokens it may have, even if all drafts are rejected.
  if (its.placeholders > 0 && its.computed + 2 - its.placeholders >= its.offered->length()) {
    return 0;
  }
  return its.tokens() + its.drafts + its.placeholders - its.computed;
}

Batch Vllm::schedule() {
  Batch batch;
  budget_ = settings_.max_tokens;
  stop_ = Stop::kOther;
  hits_ = {};
  run_on(batch);
  if (stop_ != Stop::kPreempted) admit(batch);
  update_after_schedule(batch);
  return batch;
}

void Vllm::run_on(Batch& batch) {
  for (walk_ = 0; walk_ < running_.size() && budget_ > 0;) {
    const int request = running_[walk_];
    RequestState& its = state(request);
    int tokens = std::min(capped(wanted(its)), budget_);
    // Drafts go no further than the longest sequence.
    if (settings_.max_model_len > 0) {
      tokens = std::min(tokens, static_cast<int>(settings_.max_model_len - 1 - its.computed));
    }
    if (tokens <= 0) {
      ++walk_;
      continue;
    }
    if (!make_room(batch, request, its.computed + tokens + lookahead())) return;
    kv_.allocate(request, its.computed + tokens + lookahead(), {});
    kv_.publish(request, std::min(its.computed + tokens, its.tokens()));
    batch.push_back({request, tokens, its.computed, 0, false, false, its.life()});
    budget_ -= tokens;
    ++walk_;
  }
}

// Preempts until there are blocks for `tokens` of it; false: it was itself the victim.
bool Vllm::make_room(Batch& batch, int request, std::int64_t tokens) {
  while (kv_.need(request, tokens, {}) > kv_.pool().free()) {
    std::size_t victim = running_.size() - 1;
    if (settings_.order == QueueOrder::kPriority) {
      for (std::size_t at = 0; at < running_.size(); ++at) {
        if (earlier(running_[victim], running_[at])) victim = at;
      }
    }
    const bool itself = running_[victim] == request;
    preempt(batch, victim);
    if (itself) return false;
  }
  return true;
}

void Vllm::preempt(Batch& batch, std::size_t victim) {
  const int request = running_[victim];
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(victim));
  if (victim < walk_) --walk_;
  const auto slice = std::find_if(batch.begin(), batch.end(),
                                  [&](const Slice& each) { return each.request == request; });
  if (slice != batch.end()) {
    budget_ += slice->tokens;
    batch.erase(slice);
  }
  RequestState& its = state(request);
  kv_.release(request);
  its.computed = its.placeholders = its.drafts = 0;
  ++its.preemptions;
  enqueue(request, true);
  stop_ = Stop::kPreempted;
}

int Vllm::admissible(int request) {
  RequestState& its = state(request);
  hits_ = kv_.hits(request);
  const int cached = hits_.blocks * settings_.block_tokens;
  const int wanted = capped(its.tokens() - cached);
  if (!settings_.chunked_prefill && wanted > budget_) {
    stop_ = Stop::kBudget;
    return 0;
  }
  const int tokens = std::min(wanted, budget_);
  const std::int64_t held = cached + tokens;
  const int most = kv_.pool().free() - kept_free();
  if (settings_.reserve_full_prompt && kv_.need(request, its.tokens(), hits_) > most) {
    stop_ = Stop::kWholePrompt;
    return 0;
  }
  if (kv_.need(request, held, hits_) > most) {
    stop_ = Stop::kChunk;
    return 0;
  }
  return tokens;
}

int Vllm::kept_free() const {
  if (running_.empty()) return 0;
  return static_cast<int>(settings_.watermark * static_cast<double>(settings_.kv_blocks));
}

// Room for what comes and for the step behind it, drafts with it.
bool Vllm::reserve(int request) {
  const RequestState& its = state(request);
  const int tokens =
      std::min(its.remote_tokens + 1 + lookahead(), its.offered->length() - 1 + 2 * lookahead());
  if (kv_.need(request, tokens, {}) > kv_.pool().free() - kept_free()) return false;
  kv_.allocate(request, tokens, {});
  waiting_.pop_front();
  receiving_.push_back(request);
  reserved_.push_back(request);
  return true;
}

void Vllm::received(int request) {
  RequestState& its = state(request);
  std::erase(receiving_, request);
  its.remote = false;
  its.computed = its.remote_tokens;
  if (its.generated < its.output()) {
    in_order(received_, request);
  } else {
    its.phase = Phase::kFinished;
    kv_.release(request);
  }
}

void Vllm::go_on(Batch& batch) {
  const int request = received_.front();
  received_.pop_front();
  running_.push_back(request);
  RequestState& its = state(request);
  its.phase = Phase::kRunning;
  kv_.publish(request, its.computed + 1);
  batch.push_back({request, 1, its.computed, 0, false, false, its.life()});
  --budget_;
}

void Vllm::admit(Batch& batch) {
  std::vector<int> set_aside;
  while (stop_ == Stop::kOther) {
    if (waiting_.empty() && received_.empty()) {
      stop_ = set_aside.empty() ? Stop::kNoneWait : Stop::kOther;
      break;
    }
    if (static_cast<int>(running_.size()) >= settings_.max_sequences) {
      stop_ = Stop::kSequences;
    } else if (budget_ <= 0) {
      stop_ = Stop::kBudget;
    } else if (!received_.empty()) {
      go_on(batch);
    } else if (state(waiting_.front()).remote) {
      if (!reserve(waiting_.front())) stop_ = Stop::kWholePrompt;
    } else if (const int request = waiting_.front(); state(request).in_flight > 0) {
      // It was preempted while a step computed it: that step's token comes first.
      set_aside.push_back(request);
      waiting_.pop_front();
    } else if (const int tokens = admissible(request); tokens > 0) {
      RequestState& its = state(request);
      const int cached = hits_.blocks * settings_.block_tokens;
      kv_.allocate(request, cached + tokens, hits_);
      kv_.publish(request, cached + tokens);
      waiting_.pop_front();
      running_.push_back(request);
      its.phase = Phase::kRunning;
      its.computed = cached;
      if (its.life() == 0) its.cached = cached;
      batch.push_back({request, tokens, cached, 0, false, false, its.life()});
      budget_ -= tokens;
    }
  }
  if (!set_aside.empty()) stop_ = Stop::kOther;
  waiting_.insert(waiting_.begin(), set_aside.begin(), set_aside.end());
}

void Vllm::update_after_schedule(Batch& batch) {
  for (Slice& slice : batch) {
    RequestState& its = state(slice.request);
    its.computed += slice.tokens;
    const int known = its.tokens() + its.placeholders;
    slice.samples = its.computed >= known;
    slice.drafts = std::max(0, its.computed - known);
    slice.prompt = slice.context < its.prompt() || slice.context + 1 < known;
    if (!slice.samples) continue;
    if (tracks_placeholders()) {
      its.placeholders += 1 + slice.drafts;
      its.drafts = settings_.speculation.drafts;
    }
  }
  scheduled(batch);
}

void Vllm::ended(const Batch& batch, std::int64_t step, std::vector<int>& finished) {
  const std::size_t others = finished.size();
  for (const Slice& slice : batch) {
    RequestState& its = state(slice.request);
    if (hand_out(slice, step) == 0) continue;
    if (its.phase == Phase::kFinished) {
      finished.push_back(slice.request);
    } else if (its.life() == slice.life) {
      if (!tracks_placeholders()) its.drafts = settings_.speculation.drafts;
      kv_.publish(slice.request, std::min(its.computed - its.placeholders, its.tokens()));
    }
  }
  if (finished.size() == others) return;
  for (std::size_t at = others; at < finished.size(); ++at) {
    if (!state(finished[at]).keeps_blocks) kv_.release(finished[at]);
  }
  const auto done = [&](int request) { return state(request).phase == Phase::kFinished; };
  std::erase_if(running_, done);
  std::erase_if(waiting_, done);  // preempted while their last token was being computed
}

std::int64_t Vllm::repeats(std::span<const Batch* const> in_flight, int period,
                           std::int64_t most) const {
  // Blocks only become fewer; but sets that take turns leave unlike budgets for a chunk.
  const bool stays = stop_ == Stop::kNoneWait || stop_ == Stop::kSequences ||
                     stop_ == Stop::kWholePrompt ||
                     (period == 1 && (stop_ == Stop::kChunk || stop_ == Stop::kBudget));
  if (!stays || settings_.speculation.drafts > 0) return 0;
  if (!alike(in_flight, period, running_.size())) return 0;
  // What a run publishes or takes may change what a waiting request hits.
  const bool blocked = stop_ == Stop::kWholePrompt || stop_ == Stop::kChunk;
  if (any_tells(running_) || (blocked && hits_.may_change())) return 0;
  return kv_.enough_for(in_flight, period, unfinished_for(in_flight, period, most));
}

void Vllm::repeat(std::span<const Batch* const> in_flight, int period, std::int64_t times,
                  std::int64_t step) {
  kv_.grow(in_flight, period, times);
  hand_out_repeated(in_flight, period, times, step);
  for (int set = 0; set < period; ++set) {
    for (const Slice& slice : latest(in_flight, period, set)) {
      RequestState& its = state(slice.request);
      its.computed += static_cast<int>(visits(times, period, set));
      kv_.publish(slice.request, std::min(its.computed, its.tokens()));
    }
  }
}

std::int64_t Vllm::prompt_tokens_left() const {
  std::int64_t left = 0;
  for (const int request : waiting_) left += prompt_left(request);
  for (const int request : running_) left += prompt_left(request);
  return left;
}

void Vllm::check() const {
  std::vector<int> holders = running_;
  holders.insert(holders.end(), receiving_.begin(), receiving_.end());
  holders.insert(holders.end(), received_.begin(), received_.end());
  kv_.check(holders);
}

std::unique_ptr<Scheduler> make(const EngineSettings& settings, Requests& requests) {
  return std::make_unique<Vllm>(settings, requests);
}

std::string why_not(const EngineSettings& settings) {
  if (settings.max_tokens < settings.max_sequences) {
    return "vLLM asks for at least as many tokens per step as sequences";
  }
  if (!settings.chunked_prefill && settings.max_tokens < settings.max_model_len) {
    return "without chunked prefill vLLM asks for at least max_model_len tokens per step";
  }
  return "";
}

}  // namespace

const SchedulerKind kVllm = {"vllm", make, why_not, true};

}  // namespace rehearse::serving
