// Blocks of keys and values for requests: how many one needs, which of them are there already, and
// what a run of decode steps takes. First the need is compared with what is free, then something is
// done: nothing is taken and given back.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "serving/kv/block_pool.hpp"
#include "serving/request.hpp"
#include "serving/scheduler.hpp"

namespace rehearse::serving {

class KvBlocks {
 public:
  KvBlocks(const EngineSettings& settings, Requests& requests);

  const BlockPool& pool() const { return pool_; }
  int blocks_for(std::int64_t tokens) const {
    return static_cast<int>((tokens + block_tokens_ - 1) / block_tokens_);
  }

  // Leading blocks of its tokens that are there; never that of the last token, which is always
  // computed. None without prefix cache.
  struct Hits {
    int blocks = 0;
    int without_owner = 0;

    // Although nothing is published: a block that nobody owns can be taken away, and where another
    // of the same key is owned, that is hit from then on.
    bool may_change() const { return without_owner > 0; }
  };
  Hits hits(int request);
  // Blocks it takes from the free ones to hold `tokens`, with these hits, which count where they
  // have no owner. It may hold blocks, then there are no hits.
  int need(int request, std::int64_t tokens, Hits hits) const;
  // REQUIRES: need(...) <= pool().free(), and the hits are what hits() said last.
  void allocate(int request, std::int64_t tokens, Hits hits);
  // Others can find its full blocks among the first `tokens`.
  void publish(int request, std::int64_t tokens);
  void release(int request);

  // Runs of decode steps (Scheduler::repeats).
  std::int64_t enough_for(std::span<const Batch* const> in_flight, int period,
                          std::int64_t most) const;
  void grow(std::span<const Batch* const> in_flight, int period, std::int64_t times);

  void check(std::span<const int> holders) const;

 private:
  std::int64_t taken(std::span<const Batch* const> in_flight, int period, std::int64_t times) const;
  // Visits of a decoding request before the one that needs a new block.
  std::int64_t room(const RequestState& its) const {
    return static_cast<std::int64_t>(its.blocks.size()) * block_tokens_ - its.computed;
  }

  Requests& requests_;
  const int block_tokens_;
  const bool caching_;
  BlockPool pool_;
  std::vector<int> found_;  // by the last hits()
};

}  // namespace rehearse::serving
