// Millions of blocks are handed out, published and dropped in a run, so all of it is a few
// assignments: the queue and the rings of equal keys are links inside the blocks, and the table is
// twice as large as the blocks that were ever handed out.
#include "serving/kv/block_pool.hpp"

#include <bit>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace rehearse::serving {

BlockPool::BlockPool(int usable) : blocks_(1), usable_(usable), free_(usable) {
  SIM_CHECK(usable >= 1, "a pool of no blocks");
  grow_table();
}

// Keys keep their first block.
void BlockPool::grow_table() {
  const std::vector<Entry> before =
      std::exchange(table_, std::vector<Entry>(std::bit_ceil(4 * blocks_.size())));
  mask_ = table_.size() - 1;
  for (const Entry& entry : before) {
    if (entry.block >= 0) table_[slot_of(entry.key)] = entry;
  }
}

int BlockPool::first_time() {
  const int block = static_cast<int>(blocks_.size());
  blocks_.emplace_back().owners = 1;
  --free_;
  if (2 * blocks_.size() > table_.size()) grow_table();
  return block;
}

void BlockPool::append(int block) {
  blocks_[block].before = tail_;
  blocks_[block].behind = -1;
  (tail_ < 0 ? head_ : blocks_[tail_].behind) = block;
  tail_ = block;
  ++free_;
}

void BlockPool::unlink(int block) {
  Block& gone = blocks_[block];
  (gone.before < 0 ? head_ : blocks_[gone.before].behind) = gone.behind;
  (gone.behind < 0 ? tail_ : blocks_[gone.behind].before) = gone.before;
  --free_;
}

std::size_t BlockPool::slot_of(std::uint64_t key) const {
  std::size_t slot = key & mask_;
  while (table_[slot].block >= 0 && table_[slot].key != key) slot = (slot + 1) & mask_;
  return slot;
}

int BlockPool::find(std::uint64_t key) const { return table_[slot_of(key)].block; }

void BlockPool::take(int block) {
  if (blocks_[block].owners++ == 0) unlink(block);
}

int BlockPool::pop() {
  SIM_CHECK(free_ > 0, "a block of an empty pool");
  if (static_cast<int>(blocks_.size()) <= usable_) return first_time();
  const int block = head_;
  unlink(block);
  if (head_ >= 0) expect(blocks_[head_].key);  // the next to be dropped
  if (blocks_[block].same_before >= 0) unpublish(block);
  blocks_[block].owners = 1;
  return block;
}

void BlockPool::release(std::span<const int> blocks) {
  for (std::size_t at = blocks.size(); at-- > 0;) {
    Block& block = blocks_[blocks[at]];
    SIM_CHECK(block.owners > 0, "a block given back twice");
    if (--block.owners == 0) append(blocks[at]);
  }
}

void BlockPool::publish(int block, std::uint64_t key) {
  Block& added = blocks_[block];
  SIM_CHECK(added.same_before < 0, "a block with two keys");
  const std::size_t slot = slot_of(key);
  added.key = key;
  if (table_[slot].block < 0) {
    table_[slot] = {key, block};
    added.same_before = added.same_behind = block;
    return;
  }
  const int oldest = table_[slot].block;
  Block& first = blocks_[oldest];
  added.same_behind = oldest;
  added.same_before = first.same_before;
  blocks_[first.same_before].same_behind = block;
  first.same_before = block;
}

void BlockPool::unpublish(int block) {
  Block& gone = blocks_[block];
  const std::size_t slot = slot_of(gone.key);
  if (gone.same_behind == block) {
    close_gap(slot);
  } else {
    blocks_[gone.same_before].same_behind = gone.same_behind;
    blocks_[gone.same_behind].same_before = gone.same_before;
    if (table_[slot].block == block) table_[slot].block = gone.same_behind;
  }
  gone.same_before = gone.same_behind = -1;
}

// Those behind it that were pushed on by it move up (Knuth, TAOCP 3, 6.4, algorithm R).
void BlockPool::close_gap(std::size_t slot) {
  std::size_t gap = slot;
  for (std::size_t at = (gap + 1) & mask_; table_[at].block >= 0; at = (at + 1) & mask_) {
    const std::size_t home = table_[at].key & mask_;
    if (((at - home) & mask_) < ((at - gap) & mask_)) continue;
    table_[gap] = table_[at];
    gap = at;
  }
  table_[gap] = {};
}

void BlockPool::check() const {
  int without_owner = 0;
  for (std::size_t block = 1; block < blocks_.size(); ++block) {
    SIM_CHECK(blocks_[block].owners >= 0, "a block with less than no owner");
    without_owner += blocks_[block].owners == 0 ? 1 : 0;
  }
  int queued = 0;
  for (int block = head_; block >= 0; block = blocks_[block].behind) {
    SIM_CHECK(blocks_[block].owners == 0, "a free block with an owner");
    ++queued;
  }
  const int untouched = usable_ + 1 - static_cast<int>(blocks_.size());
  SIM_CHECK(queued + untouched == free_ && without_owner == queued,
            std::to_string(queued) + " blocks are queued, " + std::to_string(without_owner) +
                " have no owner, " + std::to_string(untouched) + " were never handed out, " +
                std::to_string(free_) + " are counted free");
}

}  // namespace rehearse::serving
