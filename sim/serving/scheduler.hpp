// Who is in an engine's next step. One file for each engine in schedulers/.
//
// The loop around it (engine.hpp) asks schedule(), lets the step run, and tells ended(). Between
// the two other steps may be scheduled and end.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serving/engine_settings.hpp"
#include "serving/request.hpp"
#include "serving/step.hpp"

namespace rehearse::serving {

// For routers.
struct Load {
  int waiting = 0;
  int running = 0;
};

class Scheduler {
 public:
  Scheduler(const EngineSettings& settings, Requests& requests)
      : settings_(settings), requests_(requests) {}
  virtual ~Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Whether it could ever be served here.
  virtual bool fits(const Offered& offered) const = 0;
  // Whether it could ever be decoded here, its prompt computed elsewhere.
  virtual bool fits_remote(const Offered& offered) const { return fits(offered); }
  virtual void arrived(int request) = 0;
  virtual void no_more_come() {}
  virtual bool has_requests() const = 0;
  // Nothing happens here before somebody arrives, or nobody comes any more.
  virtual bool waits_for_others() const { return !has_requests(); }
  // The next step; nobody: nothing can be done now. What it computes counts as computed from here
  // on.
  virtual Batch schedule() = 0;
  // Step number `step` of the engine has ended; appends who has all its tokens.
  virtual void ended(const Batch& batch, std::int64_t step, std::vector<int>& finished) = 0;

  // Skipping. The last schedule() gave the last of `in_flight`, the oldest first, none of which has
  // ended; from now on steps end one by one, the oldest first, and each time one is scheduled. How
  // many times (at most `most`) will it be the same requests as `period` times before, decoding one
  // token each, with nobody finished, preempted or admitted, if nobody arrives?
  virtual std::int64_t repeats(std::span<const Batch* const> in_flight, int period,
                               std::int64_t most) const = 0;
  // Does all that so many of these pairs of ended() and schedule() would. `step`: the number of the
  // oldest in flight.
  virtual void repeat(std::span<const Batch* const> in_flight, int period, std::int64_t times,
                      std::int64_t step) = 0;

  // Prefill and decode apart. Who arrives as `remote` gets room for what is to come before anything
  // comes: appends whom room was made for since this was asked last.
  void take_reserved(std::vector<int>& requests) {
    requests.insert(requests.end(), reserved_.begin(), reserved_.end());
    reserved_.clear();
  }
  // The keys and values of a request that room was made for are there.
  virtual void received(int request);
  // Those of a finished request that keeps its blocks have been read: the blocks are free.
  virtual void let_go(int request);

  virtual Load load() const = 0;
  virtual int used_blocks() const = 0;
  virtual std::int64_t prompt_tokens_left() const = 0;  // of all requests here
  // Tokens of the request that its cache holds now.
  virtual int cached_tokens(int request) = 0;
  virtual void check() const = 0;  // that blocks and tokens add up

 protected:
  std::int64_t prompt_left(int request) const {
    const RequestState& its = state(request);
    return its.remote ? 0 : std::max(0, its.prompt() - its.computed);
  }
  // Whether blocks that one of them publishes could be hit by a request that waits.
  template <class Range>
  bool any_tells(const Range& range) const {
    return settings_.prefix_cache && std::any_of(range.begin(), range.end(), [&](int request) {
             return state(request).offered->ids_of_output;
           });
  }
  RequestState& state(int request) { return requests_[request]; }
  const RequestState& state(int request) const { return requests_[request]; }

  // The tokens that a slice of an ended step gives: 1, and the drafts accepted. 0: it gives none,
  // or its request has all it wanted. Counts them, and marks the request as finished with its last.
  int hand_out(const Slice& slice, std::int64_t step);
  // Slices of one more step.
  void scheduled(const Batch& batch);

  // Whether all in flight decode one token each without drafts, disjoint sets with as many in
  // flight as the period, the same set otherwise; of all of `running` requests.
  bool alike(std::span<const Batch* const> in_flight, int period, std::size_t running) const;
  // So many times no request in flight finishes, nor (with placeholders) is known to.
  std::int64_t unfinished_for(std::span<const Batch* const> in_flight, int period,
                              std::int64_t most) const;
  void hand_out_repeated(std::span<const Batch* const> in_flight, int period, std::int64_t times,
                         std::int64_t step);

  const EngineSettings& settings_;
  Requests& requests_;
  std::vector<int> reserved_;  // see take_reserved()
};

// The `set`-th of the sets that take turns is in step i = 1, 2, ... where (i - 1) mod period = set;
// so often among the first `times`.
constexpr std::int64_t visits(std::int64_t times, int period, int set) {
  return (times + period - 1 - set) / period;
}

// The latest step of the `set`-th set that takes turns.
inline const Batch& latest(std::span<const Batch* const> in_flight, int period, int set) {
  return *in_flight[in_flight.size() - period + set];
}

struct SchedulerKind {
  std::string_view name;
  std::unique_ptr<Scheduler> (*make)(const EngineSettings& settings, Requests& requests) = nullptr;
  std::string (*refusal)(const EngineSettings& settings) = nullptr;
  bool apart = false;  // serves where prefill and decode are apart
};

std::span<const SchedulerKind* const> schedulers();
const SchedulerKind* scheduler_named(std::string_view name);  // nullptr: there is none
std::string names_of_schedulers();

// How many of the drafts of a request's step are accepted: drawn by seed, request and token.
int accepted_drafts(const Speculation& speculation, int request, const RequestState& state,
                    int drafts);

}  // namespace rehearse::serving
