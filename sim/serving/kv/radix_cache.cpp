#include "serving/kv/radix_cache.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace rehearse::serving {

RadixCache::RadixCache(int page) : page_(page) {
  nodes_.emplace_back();
  nodes_[kRoot].locks = 1;
}

int RadixCache::child(int node, std::uint64_t id, int offset) const {
  for (const int each : nodes_[node].children) {
    if (nodes_[each].id == id && nodes_[each].offset == offset) return each;
  }
  return -1;
}

bool RadixCache::may_go(int node) const {
  return node != kRoot && nodes_[node].locks == 0 && nodes_[node].children.empty();
}

void RadixCache::enlist(int node) {
  if (may_go(node)) leaves_.insert({nodes_[node].touched, node});
}

void RadixCache::unenlist(int node) { leaves_.erase({nodes_[node].touched, node}); }

void RadixCache::touch(int node) {
  unenlist(node);
  nodes_[node].touched = ++clock_;
  enlist(node);
}

int RadixCache::unused() {
  if (spare_.empty()) {
    nodes_.emplace_back();
    return static_cast<int>(nodes_.size()) - 1;
  }
  const int node = spare_.back();
  spare_.pop_back();
  nodes_[node] = Node();
  return node;
}

int RadixCache::add(int parent, std::uint64_t id, int offset, int tokens) {
  const int node = unused();
  Node& fresh = nodes_[node];
  fresh.parent = parent;
  fresh.id = id;
  fresh.offset = offset;
  fresh.tokens = tokens;
  unenlist(parent);
  nodes_[parent].children.push_back(node);
  tokens_ += tokens;
  evictable_ += tokens;
  return node;
}

// The first `tokens` of it become its parent, which has its locks and its date.
int RadixCache::split(int node, int tokens) {
  const int upper = unused();
  Node& lower = nodes_[node];
  Node& first = nodes_[upper];
  first.parent = lower.parent;
  first.id = lower.id;
  first.offset = lower.offset;
  first.tokens = tokens;
  first.locks = lower.locks;
  first.touched = lower.touched;
  first.children = {node};
  std::vector<int>& siblings = nodes_[lower.parent].children;
  *std::find(siblings.begin(), siblings.end(), node) = upper;
  lower.parent = upper;
  lower.offset += tokens;
  lower.tokens -= tokens;
  return upper;
}

RadixCache::Match RadixCache::match(std::span<const Span> content) {
  Match found;
  for (const Span& span : content) {
    for (int offset = 0; offset < span.tokens;) {
      int next = child(found.node, span.id, offset);
      if (next < 0) return found;
      const int common = std::min(nodes_[next].tokens, span.tokens - offset) / page_ * page_;
      if (common == 0) return found;
      touch(next);
      if (common < nodes_[next].tokens) {
        next = split(next, common);
        touch(next);
      }
      found.node = next;
      found.tokens += common;
      offset += common;
    }
  }
  return found;
}

int RadixCache::matching(std::span<const Span> content) const {
  int tokens = 0;
  int node = kRoot;
  for (const Span& span : content) {
    for (int offset = 0; offset < span.tokens;) {
      node = child(node, span.id, offset);
      if (node < 0) return tokens;
      const int common = std::min(nodes_[node].tokens, span.tokens - offset) / page_ * page_;
      tokens += common;
      offset += common;
      if (common < nodes_[node].tokens) return tokens;
    }
  }
  return tokens;
}

int RadixCache::insert(std::span<const Span> content) {
  const Match there = match(content);
  int node = there.node;
  int behind = 0;
  for (const Span& span : content) {
    const int from = std::clamp(there.tokens - behind, 0, span.tokens);
    behind += span.tokens;
    if (from == span.tokens) continue;
    node = add(node, span.id, from, span.tokens - from);
    touch(node);
  }
  return there.tokens;
}

void RadixCache::lock(int node) {
  for (; node != kRoot; node = nodes_[node].parent) {
    if (nodes_[node].locks == 0) {
      unenlist(node);
      evictable_ -= nodes_[node].tokens;
    }
    ++nodes_[node].locks;
  }
}

void RadixCache::unlock(int node) {
  for (; node != kRoot; node = nodes_[node].parent) {
    SIM_CHECK(nodes_[node].locks > 0, "a node unlocked twice");
    if (--nodes_[node].locks > 0) continue;
    evictable_ += nodes_[node].tokens;
    enlist(node);
  }
}

std::int64_t RadixCache::evict(std::int64_t tokens) {
  std::int64_t gone = 0;
  while (gone < tokens && !leaves_.empty()) {
    const int node = leaves_.begin()->second;
    leaves_.erase(leaves_.begin());
    const int parent = nodes_[node].parent;
    gone += nodes_[node].tokens;
    std::erase(nodes_[parent].children, node);
    spare_.push_back(node);
    enlist(parent);
  }
  tokens_ -= gone;
  evictable_ -= gone;
  return gone;
}

void RadixCache::check() const {
  std::int64_t all = 0;
  std::int64_t unlocked = 0;
  std::vector<int> open = {kRoot};
  while (!open.empty()) {
    const Node& node = nodes_[open.back()];
    open.pop_back();
    all += node.tokens;
    if (node.locks == 0) unlocked += node.tokens;
    for (const int each : node.children) {
      SIM_CHECK(nodes_[each].locks <= node.locks || node.parent < 0, "a locked path with a gap");
      open.push_back(each);
    }
  }
  SIM_CHECK(all == tokens_ && unlocked == evictable_, "the tree's tokens do not add up");
}

}  // namespace rehearse::serving
