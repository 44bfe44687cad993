// SGLang's scheduler: sglang.cpp, and sglang_remote.cpp for requests that were prefilled elsewhere.
#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "serving/kv/token_pool.hpp"
#include "serving/scheduler.hpp"

namespace rehearse::serving {

class Sglang : public Scheduler {
 public:
  Sglang(const EngineSettings& settings, Requests& requests);

  bool fits(const Offered& offered) const override;
  bool fits_remote(const Offered& offered) const override;
  void arrived(int request) override;
  bool has_requests() const override;
  Batch schedule() override;
  void ended(const Batch& batch, std::int64_t step, std::vector<int>& finished) override;
  std::int64_t repeats(std::span<const Batch* const> in_flight, int period,
                       std::int64_t most) const override;
  void repeat(std::span<const Batch* const> in_flight, int period, std::int64_t times,
              std::int64_t step) override;
  void received(int request) override;
  void let_go(int request) override;
  Load load() const override;
  int used_blocks() const override {
    return static_cast<int>((kv_.total() - kv_.memory()) / kv_.page());
  }
  std::int64_t prompt_tokens_left() const override;
  int cached_tokens(int request) override {
    return state(request).remote ? 0 : kv_.matching(request);
  }
  void check() const override;

 private:
  struct Budget {
    double total;          // tokens of memory, less what is expected
    std::int64_t current;  // tokens of memory
    std::int64_t input;    // tokens of a batch
    std::int64_t chunk;
  };
  enum class Added { kContinue, kNoMemory, kOther };
  static constexpr int kMostExpected = 4096;  // SGLANG_CLIP_MAX_NEW_TOKENS_ESTIMATION

  std::int64_t expected(const RequestState& its) const {
    return std::min(its.output() - its.generated, kMostExpected);
  }

  void merge_prefilled();
  bool drop_finished(std::vector<int>& requests);
  Batch prefill();
  void continue_chunk(Batch& batch, Budget& budget);
  Added add(int request, Batch& batch, Budget& budget);
  void charge(Budget& budget, std::int64_t tokens, std::int64_t new_tokens) const;
  void mix_in(Batch& batch);
  Batch decode();
  void lower_ratio();
  void retract();
  void compute(Batch& batch, int request, int tokens, bool prompt);

  // sglang_remote.cpp
  void reserve();
  struct Room {
    bool enough = false;
    bool grows = false;  // with every step of those who decode
  };
  Room room_for(int request) const;
  bool may_get_room() const;  // the next, while the same go on decoding
  void join();
  bool holds_remote() const { return !receiving_.empty() || !received_.empty(); }
  std::size_t unfinished() const;  // that run, or are about to

  const double first_ratio_;
  const double least_ratio_;
  double ratio_;
  TokenPool kv_;
  std::deque<int> waiting_;
  std::vector<int> running_;    // finished ones among them until the next pass
  std::vector<int> prefilled_;  // of the last batch, which join at the next pass
  bool last_was_prefill_ = false;
  int chunked_ = -1;
  bool full_ = false;             // no attempt to admit
  std::deque<int> without_room_;  // whose prompts were computed elsewhere, or are going to be
  std::vector<int> receiving_;    // have room, which is being filled from there
  std::deque<int> received_;      // theirs is: they wait for a place
};

}  // namespace rehearse::serving
