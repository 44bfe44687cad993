// What a service lacks at a rate that is too much for it.
#pragma once

#include <string>
#include <vector>

#include "sizing/service_points.hpp"

namespace rehearse {

// Of the time from the warm-up to the last arrival, mean over the engines.
struct PassShares {
  double with_prompts = 0;  // in passes with tokens of prompts
  double beyond_decodes =
      0;  // of these, what they take longer than a pass of decodes alone (median)
  double decodes_alone = 0;
  double full = 0;  // in passes with as many requests as the engine takes

  double busy() const { return with_prompts + decodes_alone; }
};

// From kv_peak_fraction on, keys and values fill their pool.
constexpr double kFullPool = 0.98;

enum class BreakingTerm { kTtft, kTpot, kBacklog, kRefused };
enum class BreakingCause {
  kKvMemory,
  kPrefillCompute,
  kSequenceSlots,
  kDecodeSteps,
  kLength,
  kTooFew,  // sessions, to say whether their backlog grows
};
const char* to_text(BreakingTerm term);    // "TTFT", "TPOT", "backlog", "refused"
const char* to_text(BreakingCause cause);  // "KV memory", "prefill compute", "sequence slots", ...

struct Breaking {
  SizedPoint at;
  BreakingTerm term = BreakingTerm::kTtft;
  BreakingCause cause = BreakingCause::kDecodeSteps;
  PassShares passes;
  int max_sequences = 0;      // that an engine takes at once
  int preemptions_below = 0;  // at the feasible rate below; those of `at` where there is none
};

// Of requests refused, the term with the largest multiple of its objective, and the backlog, the
// first that is missed. The cause: of refused requests their length; of a backlog that cannot be
// judged too few requests; else KV memory, where the
// fullest pool is full or requests are preempted more often than at `below`; else prefill compute,
// where prompts take at least half of the time that engines are busy: of each pass with tokens of
// prompts, what it takes longer than one of decodes alone; else sequence slots, where at least half
// of that time passes are as full as the engine lets them be; else decode steps.
//
// REQUIRES: `at` is not feasible. `below`: nullptr, or feasible.
Breaking find_breaking(ServicePoints& points, const SizedPoint& at, const SizedPoint* below);

// "TTFT p99 at 0.05 requests/s is 1.84 s, 1.84 x the objective"
std::string missed_text(const SizedPoint& point, const std::string& arrivals);
// The numbers that decided about the cause.
std::string why_text(const Breaking& breaking);

}  // namespace rehearse
