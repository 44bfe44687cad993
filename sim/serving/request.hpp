// A request as the load brings it, and what an engine knows of it.
//
// Dates are integer picoseconds from the start, so that a run of steps and the steps one by one end
// at the same date, not at dates that rounding has moved apart.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#include "base/units.hpp"

namespace rehearse::serving {

using Picoseconds = std::int64_t;
constexpr Picoseconds kNever = std::numeric_limits<Picoseconds>::max();

// No service lasts longer, and no step: so that dates and what is added to them fit.
constexpr Picoseconds kLatest = 4'000'000'000'000'000'000;       // 46 days
constexpr Picoseconds kLongestStep = 1'000'000'000'000'000'000;  // 11 days

class LastsTooLong : public std::runtime_error {
 public:
  LastsTooLong() : std::runtime_error("lasts longer than 46 days") {}
};

// So many times as long, a step at most.
inline Picoseconds times(Picoseconds each, double count) {
  const double all = static_cast<double>(each) * count;
  const auto most = static_cast<double>(kLongestStep);
  return all < most ? each * static_cast<Picoseconds>(count) : kLongestStep;
}

inline Picoseconds to_picoseconds(Seconds time) {
  return static_cast<Picoseconds>(std::llround(time.value * 1e12));
}
inline Seconds to_seconds(Picoseconds time) { return {static_cast<double>(time) / 1e12}; }

struct Offered {
  Picoseconds arrival = 0;  // nothing where `after` says when
  int prompt = 1;           // tokens, at least one
  int output = 1;           // tokens that it gets, at least one
  int priority = 0;         // the lower, the earlier
  // Each stands for `id_tokens` tokens together with all that come before them: two requests whose
  // n-th ids are equal have their first n x id_tokens tokens in common (Mooncake's hash_ids). They
  // describe the prompt, the last one perhaps in part, and the output where `ids_of_output` says
  // so; what they do not describe nobody else has.
  std::vector<std::uint64_t> prefix_ids = {};
  int id_tokens = 512;
  bool ids_of_output = false;
  // A turn of a session: it arrives so long after another request, its number, has ended.
  int after = -1;
  Picoseconds think = 0;

  int length() const { return prompt + output; }
  // The first tokens, which the ids describe.
  int identified() const {
    const std::int64_t described = static_cast<std::int64_t>(prefix_ids.size()) * id_tokens;
    const int most = ids_of_output ? length() : prompt;
    return described < most ? static_cast<int>(described) : most;
  }
};

enum class Phase { kToCome, kWaiting, kRunning, kFinished, kRefused };

// `count` tokens, handed out at the ends of the steps first, first + stride, ... of the engine.
struct TokenRun {
  std::int64_t first = 0;
  std::int64_t stride = 0;
  std::int64_t count = 0;
};

struct RequestState {
  const Offered* offered = nullptr;
  Phase phase = Phase::kToCome;
  int replica = -1;
  Picoseconds arrival = 0;
  Picoseconds first_scheduled = -1;
  Picoseconds finished = -1;

  int computed = 0;      // tokens whose keys and values exist or are being written
  int generated = 0;     // tokens handed out
  int placeholders = 0;  // tokens that steps in flight will hand out (asynchronous scheduling)
  int drafts = 0;        // proposed for the next step
  int in_flight = 0;     // steps in flight that compute some of it
  int preemptions = 0;   // how many lives it has had before this one
  int cached = 0;        // tokens found in the cache when it was first admitted
  std::int64_t queue_rank = 0;  // arrivals at its engine before it

  // Prefill and decode apart (pools.cpp).
  bool keeps_blocks = false;  // it is only prefilled: its blocks stay until they are let go
  bool remote = false;    // keys and values of its prompt come from elsewhere, and are not there
  int remote_tokens = 0;  // of so many tokens, behind which it goes on

  int tree_node = 0;    // in a tree of prefixes (RadixCache): where what it has in there ends
  int tree_tokens = 0;  // that it has in there
  std::vector<int> blocks = {};           // of its keys and values (BlockPool)
  std::vector<std::uint64_t> keys = {};   // of its first blocks, as far as somebody asked
  int published = 0;                      // blocks that others can find
  std::vector<TokenRun> token_runs = {};  // when it got its tokens

  int life() const { return preemptions; }
  int prompt() const { return offered->prompt; }
  int output() const { return offered->output; }
  int tokens() const { return offered->prompt + generated; }  // known by now
  bool decodes() const { return computed >= tokens() - 1 && generated > 0; }

  // It gets `count` tokens at the end of `step`.
  void hand_out(std::int64_t step, int count);
  // One at each of the steps first, first + stride, ...
  void hand_out_run(std::int64_t first, std::int64_t stride, std::int64_t count);
};

using Requests = std::vector<RequestState>;

}  // namespace rehearse::serving
