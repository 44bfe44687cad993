// What all schedulers share: how tokens are handed out, and which runs of steps repeat themselves.
#include "serving/scheduler.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/random_stream.hpp"

namespace rehearse::serving {

int accepted_drafts(const Speculation& speculation, int request, const RequestState& state,
                    int drafts) {
  if (!speculation.accepted.empty()) {
    // Its first step with drafts is the one after its first token.
    const std::size_t step = state.token_runs.size();
    std::int64_t earlier = 0;
    for (const TokenRun& run : state.token_runs) earlier += run.stride == 0 ? 1 : run.count;
    SIM_CHECK(step > 0, "drafts before the first token");
    const std::size_t at = static_cast<std::size_t>(earlier - 1) % speculation.accepted.size();
    return std::min(drafts, speculation.accepted[at]);
  }
  RandomStream draws({speculation.seed, static_cast<std::uint64_t>(request),
                      static_cast<std::uint64_t>(state.generated)});
  for (int draft = 0; draft < drafts; ++draft) {
    if (speculation.acceptance.empty()) return draft;
    const std::size_t last = speculation.acceptance.size() - 1;
    const double likely = speculation.acceptance[std::min<std::size_t>(draft, last)];
    if (draws.uniform() >= likely) return draft;
  }
  return drafts;
}

void Scheduler::received(int /*request*/) { SIM_CHECK(false, "nobody has room for it"); }

void Scheduler::let_go(int /*request*/) { SIM_CHECK(false, "nobody keeps blocks"); }

int Scheduler::hand_out(const Slice& slice, std::int64_t step) {
  RequestState& its = state(slice.request);
  --its.in_flight;
  if (!slice.samples || its.phase == Phase::kFinished) return 0;
  // Preempted in its last step: the token is worth nothing without its keys and values.
  if (its.keeps_blocks && its.life() != slice.life) return 0;
  const int accepted =
      slice.drafts == 0 ? 0
                        : accepted_drafts(settings_.speculation, slice.request, its, slice.drafts);
  if (its.life() == slice.life) {
    its.computed -= slice.drafts - accepted;
    its.placeholders -= std::min(its.placeholders, 1 + slice.drafts);
  }
  const int given = std::min(1 + accepted, its.output() - its.generated);
  its.hand_out(step, given);
  if (its.generated == its.output()) its.phase = Phase::kFinished;
  return given;
}

void Scheduler::scheduled(const Batch& batch) {
  for (const Slice& slice : batch) ++state(slice.request).in_flight;
}

bool Scheduler::alike(std::span<const Batch* const> in_flight, int period,
                      std::size_t running) const {
  const int shared = static_cast<int>(in_flight.size()) / period;
  std::size_t slices = 0;
  for (const Batch* batch : in_flight) {
    slices += batch->size();
    for (const Slice& slice : *batch) {
      const RequestState& its = state(slice.request);
      // As many steps as there are sets of all: the steps of a set have the same requests.
      if (slice.prompt || slice.tokens != 1 || its.phase != Phase::kRunning ||
          its.in_flight != shared || its.life() != slice.life) {
        return false;
      }
    }
  }
  return slices == running * static_cast<std::size_t>(shared);
}

std::int64_t Scheduler::unfinished_for(std::span<const Batch* const> in_flight, int period,
                                       std::int64_t most) const {
  for (int set = 0; set < period; ++set) {
    for (const Slice& slice : latest(in_flight, period, set)) {
      const RequestState& its = state(slice.request);
      const std::int64_t left = its.output() - its.generated - std::max(1, its.placeholders);
      // The visit after these is the one that may not be: it is iteration left x period + set + 1.
      most = std::min(most, std::max<std::int64_t>(left, 0) * period + set);
    }
  }
  return most;
}

void Scheduler::hand_out_repeated(std::span<const Batch* const> in_flight, int period,
                                  std::int64_t times, std::int64_t step) {
  for (int set = 0; set < period; ++set) {
    const std::int64_t count = visits(times, period, set);
    if (count == 0) continue;
    for (const Slice& slice : latest(in_flight, period, set)) {
      state(slice.request).hand_out_run(step + set, period, count);
    }
  }
}

}  // namespace rehearse::serving
