// A run of decode steps takes its blocks in the order in which the steps would, step by step and in
// the order of the batch, because the queue of free blocks remembers it. Requests that have as much
// room in their last block grow together, so only they are looked at in a step.
#include "serving/kv/kv_blocks.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "serving/kv/block_keys.hpp"

namespace rehearse::serving {

KvBlocks::KvBlocks(const EngineSettings& settings, Requests& requests)
    : requests_(requests),
      block_tokens_(settings.block_tokens),
      caching_(settings.prefix_cache),
      pool_(settings.kv_blocks) {}

KvBlocks::Hits KvBlocks::hits(int request) {
  found_.clear();
  if (!caching_) return {};
  RequestState& its = requests_[request];
  const int most = (its.tokens() - 1) / block_tokens_;
  int without_owner = 0;
  for (int block = 0; block < most; ++block) {
    const int there = pool_.find(block_key(its, request, block, block_tokens_));
    if (there < 0) break;
    found_.push_back(there);
    without_owner += pool_.owners(there) == 0 ? 1 : 0;
  }
  return {static_cast<int>(found_.size()), without_owner};
}

int KvBlocks::need(int request, std::int64_t tokens, Hits hits) const {
  const int held = static_cast<int>(requests_[request].blocks.size());
  SIM_CHECK(hits.blocks == 0 || held == 0, "hits of a request that has blocks");
  return std::max(0, blocks_for(tokens) - held - hits.blocks) + hits.without_owner;
}

void KvBlocks::allocate(int request, std::int64_t tokens, Hits hits) {
  RequestState& its = requests_[request];
  if (hits.blocks > 0) {
    SIM_CHECK(hits.blocks == static_cast<int>(found_.size()), "the hits of another request");
    for (const int there : found_) pool_.take(there);
    its.blocks = found_;
    its.published = hits.blocks;
  }
  const int all = blocks_for(tokens);
  while (static_cast<int>(its.blocks.size()) < all) its.blocks.push_back(pool_.pop());
}

void KvBlocks::publish(int request, std::int64_t tokens) {
  if (!caching_) return;
  constexpr int kAhead = 8;  // slots that are on their way from memory
  RequestState& its = requests_[request];
  const int full = static_cast<int>(tokens / block_tokens_);
  if (its.published >= full) return;
  add_block_keys(its, request, full - 1, block_tokens_);
  for (; its.published < full; ++its.published) {
    pool_.expect(its.keys[std::min(its.published + kAhead, full - 1)]);
    pool_.publish(its.blocks[its.published], its.keys[its.published]);
  }
}

void KvBlocks::release(int request) {
  RequestState& its = requests_[request];
  pool_.release(its.blocks);
  its.blocks.clear();
  its.published = 0;
}

std::int64_t KvBlocks::taken(std::span<const Batch* const> in_flight, int period,
                             std::int64_t times) const {
  std::int64_t blocks = 0;
  for (int set = 0; set < period; ++set) {
    const std::int64_t seen = visits(times, period, set);
    for (const Slice& slice : latest(in_flight, period, set)) {
      const std::int64_t behind = seen - room(requests_[slice.request]);
      if (behind > 0) blocks += (behind + block_tokens_ - 1) / block_tokens_;
    }
  }
  return blocks;
}

std::int64_t KvBlocks::enough_for(std::span<const Batch* const> in_flight, int period,
                                  std::int64_t most) const {
  if (most <= 0 || taken(in_flight, period, most) <= pool_.free()) return most;
  std::int64_t enough = 0;
  std::int64_t too_much = most;
  while (enough + 1 < too_much) {
    const std::int64_t middle = enough + (too_much - enough) / 2;
    (taken(in_flight, period, middle) <= pool_.free() ? enough : too_much) = middle;
  }
  return enough;
}

void KvBlocks::grow(std::span<const Batch* const> in_flight, int period, std::int64_t times) {
  // By set and visit (modulo the block) the requests that need a block in it, in their order.
  std::vector<std::vector<int>> due(static_cast<std::size_t>(period) * block_tokens_);
  for (int set = 0; set < period; ++set) {
    for (const Slice& slice : latest(in_flight, period, set)) {
      const std::int64_t room_left = room(requests_[slice.request]);
      SIM_CHECK(room_left >= 0 && room_left < block_tokens_,
                "a decoding request holds a spare block");
      due[set * block_tokens_ + room_left].push_back(slice.request);
    }
  }
  for (std::int64_t at = 0; at < times; ++at) {
    const std::int64_t visit = at / period;
    for (const int request : due[at % period * block_tokens_ + visit % block_tokens_]) {
      requests_[request].blocks.push_back(pool_.pop());
    }
  }
}

void KvBlocks::check(std::span<const int> holders) const {
  pool_.check();
  std::vector<int> owners(static_cast<std::size_t>(pool_.last_touched()) + 1, 0);
  for (const int request : holders) {
    for (const int block : requests_[request].blocks) ++owners.at(block);
  }
  for (int block = 1; block <= pool_.last_touched(); ++block) {
    SIM_CHECK(owners[block] == pool_.owners(block),
              "block " + std::to_string(block) + " has other owners than its pool counts");
  }
}

}  // namespace rehearse::serving
