// SGLang's cache of prefixes (mem_cache/radix_cache.py): a tree whose edges are runs of tokens.
// Requests lock the path to the end of what they use; what nobody locks may go, leaf by leaf, the
// one that was touched the longest time ago first. It counts tokens in whole pages.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "serving/kv/content.hpp"

namespace rehearse::serving {

class RadixCache {
 public:
  static constexpr int kRoot = 0;

  explicit RadixCache(int page);

  struct Match {
    int tokens = 0;
    int node = kRoot;  // where they end
  };
  // The longest common beginning, in whole pages; splits an edge that it ends in, and touches the
  // path.
  Match match(std::span<const Span> content);
  // The same without a trace.
  int matching(std::span<const Span> content) const;
  // All of it is in the tree from now on: how much of it was before.
  int insert(std::span<const Span> content);

  void lock(int node);
  void unlock(int node);
  // Drops leaves that nobody locks until so many tokens are gone or there is none: how many went.
  std::int64_t evict(std::int64_t tokens);

  std::int64_t tokens() const { return tokens_; }
  std::int64_t evictable() const { return evictable_; }
  void check() const;

 private:
  struct Node {
    int parent = -1;
    std::uint64_t id = 0;  // its tokens are those at offset, offset + 1, ... of this span
    int offset = 0;
    int tokens = 0;
    int locks = 0;
    std::uint64_t touched = 0;
    std::vector<int> children = {};
  };

  int child(int node, std::uint64_t id, int offset) const;  // -1: none
  int unused();
  int add(int parent, std::uint64_t id, int offset, int tokens);
  int split(int node, int tokens);
  void touch(int node);
  bool may_go(int node) const;
  void enlist(int node);    // if it may go
  void unenlist(int node);  // if it was listed

  const int page_;
  std::vector<Node> nodes_;
  std::vector<int> spare_;                          // nodes that are gone
  std::set<std::pair<std::uint64_t, int>> leaves_;  // that may go, by when they were touched
  std::uint64_t clock_ = 0;
  std::int64_t tokens_ = 0;
  std::int64_t evictable_ = 0;
};

}  // namespace rehearse::serving
