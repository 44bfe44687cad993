// The blocks of keys and values of an engine, as vLLM V1 keeps them (v1/core/block_pool.py,
// kv_cache_utils.py): owners are counted; a block without owner stands in one queue of free blocks
// but keeps its contents, and can be found by its key, until it is handed out anew. The queue's
// head is handed out first and the blocks of a request come back tail first, so the least recently
// used go first, ends of prefixes before their beginnings. Blocks that nobody has had yet stand
// before all others, in their order; memory is taken for those only that somebody has had.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rehearse::serving {

class BlockPool {
 public:
  // `usable` blocks beside block 0, the null block, which nobody gets.
  explicit BlockPool(int usable);

  int usable() const { return usable_; }
  int free() const { return free_; }
  int used() const { return usable() - free_; }
  int owners(int block) const { return blocks_[block].owners; }
  // Blocks 1 to this one have been handed out so far, the others never.
  int last_touched() const { return static_cast<int>(blocks_.size()) - 1; }

  // The block that has had this key for the longest time; -1: none.
  int find(std::uint64_t key) const;
  // This key is going to be looked up or published: has its slot fetched from memory.
  void expect(std::uint64_t key) const { __builtin_prefetch(&table_[key & mask_]); }
  // One more owner of a block that was found.
  void take(int block);
  // A block for new contents: the head of the queue, whose key is dropped. REQUIRES: free() > 0.
  int pop();
  // One owner less of each, the last block first.
  void release(std::span<const int> blocks);
  // Others can find it. REQUIRES: it has no key.
  void publish(int block, std::uint64_t key);

  // Counts everything anew; SIM_CHECK that it adds up.
  void check() const;

 private:
  struct Block {
    std::uint64_t key = 0;
    int owners = 0;
    int before = -1, behind = -1;            // in the queue of free blocks
    int same_before = -1, same_behind = -1;  // in the ring of blocks of this key; -1: it has none
  };

  void append(int block);
  void unlink(int block);
  std::size_t slot_of(std::uint64_t key) const;  // where it is or would be
  void unpublish(int block);
  void close_gap(std::size_t slot);
  void grow_table();
  int first_time();  // the next that nobody has had

  std::vector<Block> blocks_;  // the null block, and those that somebody has had
  int usable_ = 0;
  int free_ = 0;
  int head_ = -1, tail_ = -1;
  // Open addressing, linear probing. The keys stand here, too: looking along them reads no block.
  struct Entry {
    std::uint64_t key = 0;
    int block = -1;  // the first of this key; -1: an empty slot
  };
  std::vector<Entry> table_;
  std::size_t mask_ = 0;
};

}  // namespace rehearse::serving
