#include "serving/kv/token_pool.hpp"

#include "base/error.hpp"

namespace rehearse::serving {

TokenPool::TokenPool(const EngineSettings& settings, Requests& requests)
    : requests_(requests),
      page_(settings.block_tokens),
      caching_(settings.prefix_cache),
      total_(static_cast<std::int64_t>(settings.kv_blocks) * page_),
      available_(total_),
      tree_(page_) {}

RadixCache::Match TokenPool::match(int request) {
  if (!caching_) return {};
  const RequestState& its = requests_[request];
  return tree_.match(content_of(*its.offered, request, its.tokens() - 1, page_));
}

int TokenPool::matching(int request) const {
  const RequestState& its = requests_[request];
  return tree_.matching(content_of(*its.offered, request, its.tokens() - 1, page_));
}

void TokenPool::make_room(std::int64_t tokens) {
  if (available_ < tokens) available_ += tree_.evict(tokens);
}

void TokenPool::keep_free(std::int64_t tokens) {
  if (available_ < tokens) available_ += tree_.evict(tokens - available_);
}

void TokenPool::take(std::int64_t tokens) {
  make_room(tokens);
  SIM_CHECK(available_ >= tokens, "a pool of tokens has no room for what was admitted");
  available_ -= tokens;
}

void TokenPool::extend(int request, int tokens) {
  RequestState& its = requests_[request];
  take(pages(its.computed + tokens) - pages(its.computed));
  its.computed += tokens;
}

void TokenPool::release(int request) {
  RequestState& its = requests_[request];
  available_ += of_its_own(its);
  tree_.unlock(its.tree_node);
  its.tree_node = RadixCache::kRoot;
  its.tree_tokens = its.computed = 0;
}

void TokenPool::cache_unfinished(int request, int tokens) {
  if (!caching_) return;
  RequestState& its = requests_[request];
  const std::vector<Span> content = content_of(*its.offered, request, tokens, page_);
  available_ += tree_.insert(content) - its.tree_tokens;
  const RadixCache::Match now = tree_.match(content);
  tree_.lock(now.node);
  tree_.unlock(its.tree_node);
  its.tree_node = now.node;
  its.tree_tokens = now.tokens;
}

void TokenPool::cache_finished(int request) {
  cache_unfinished(request, requests_[request].tokens() - 1);
  release(request);
}

std::int64_t TokenPool::for_next_tokens(const std::vector<int>& requests) const {
  std::int64_t tokens = 0;
  for (const int request : requests) {
    if (requests_[request].computed % page_ == 0) tokens += page_;
  }
  return tokens;
}

std::int64_t TokenPool::taken(const Batch& batch, std::int64_t times) const {
  std::int64_t tokens = 0;
  for (const Slice& slice : batch) {
    const int computed = requests_[slice.request].computed;
    tokens += pages(computed + times) - pages(computed);
  }
  return tokens;
}

void TokenPool::grow(const Batch& batch, std::int64_t times) {
  std::vector<std::int64_t> due(page_, 0);  // by the step, modulo a page, in which they begin one
  for (const Slice& slice : batch) {
    RequestState& its = requests_[slice.request];
    due[(pages(its.computed) - its.computed) % page_] += page_;
    its.computed += static_cast<int>(times);
  }
  for (std::int64_t at = 0; at < times; ++at) take(due[at % page_]);
}

void TokenPool::check(std::span<const int> holders) const {
  tree_.check();
  std::int64_t held = 0;
  for (const int request : holders) held += of_its_own(requests_[request]);
  SIM_CHECK(available_ >= 0 && available_ + tree_.tokens() + held == total_,
            "the tokens of a pool do not add up");
}

}  // namespace rehearse::serving
