// SGLang's memory of keys and values: pages of tokens, which are a request's own while it runs and
// go into the tree of prefixes when its prompt is computed and when it ends.
//
// available + in the tree + of requests' own = all, always.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "serving/kv/radix_cache.hpp"
#include "serving/scheduler.hpp"

namespace rehearse::serving {

class TokenPool {
 public:
  TokenPool(const EngineSettings& settings, Requests& requests);

  int page() const { return page_; }
  std::int64_t total() const { return total_; }
  // Tokens that can be had: free ones, and those in the tree that nobody uses.
  std::int64_t memory() const { return available_ + tree_.evictable(); }
  std::int64_t pages(std::int64_t tokens) const { return (tokens + page_ - 1) / page_ * page_; }

  // What the tree has of its tokens but the last one.
  RadixCache::Match match(int request);
  int matching(int request) const;
  void lock(int node) { tree_.lock(node); }
  void unlock(int node) { tree_.unlock(node); }

  // Has leaves of the tree evicted unless so many tokens are free.
  void make_room(std::int64_t tokens);
  // Leaves until so many are free, or there is none.
  void keep_free(std::int64_t tokens);
  // So many more tokens of it are computed. SIM_CHECK: there is room.
  void extend(int request, int tokens);
  // What it computed is forgotten but for what is in the tree.
  void release(int request);
  // Its first `tokens` tokens go into the tree; those that somebody else put there meanwhile are
  // freed.
  void cache_unfinished(int request, int tokens);
  void cache_finished(int request);

  // Tokens that a decode step of these takes.
  std::int64_t for_next_tokens(const std::vector<int>& requests) const;
  // That so many decode steps of the batch take, and taking them, step by step.
  std::int64_t taken(const Batch& batch, std::int64_t times) const;
  void grow(const Batch& batch, std::int64_t times);

  void check(std::span<const int> holders) const;

 private:
  std::int64_t of_its_own(const RequestState& its) const {
    return pages(its.computed) - its.tree_tokens;
  }
  void take(std::int64_t tokens);

  Requests& requests_;
  const int page_;
  const bool caching_;
  const std::int64_t total_;
  std::int64_t available_;
  RadixCache tree_;
};

}  // namespace rehearse::serving
