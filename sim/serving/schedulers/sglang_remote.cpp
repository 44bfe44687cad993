// Requests whose prompts are computed elsewhere, as SGLang's decode server takes them
// (srt/disaggregation/decode.py of 2025/26). Room for the prompt is made first, in order of
// arrival, if there is room for some tokens of all that have memory, and enough that the longest
// of those who run ends if all others are retracted. When the keys and values are there the request
// joins those who decode without a step of its own.
//
// Other than there: whoever arrives looks for room at once, not between two steps; who is retracted
// is computed again, his keys and values are not parked in the host's memory; the cache is not
// asked for prompts. While somebody retracted waits nobody gets room, as there.
#include <algorithm>

#include "base/error.hpp"
#include "serving/schedulers/sglang.hpp"

namespace rehearse::serving {

bool Sglang::fits_remote(const Offered& offered) const {
  const int output =
      std::max(settings_.reserved_decode_tokens, std::min(offered.output, kMostExpected));
  return fits(offered) && kv_.pages(offered.prompt) + output <= kv_.total();
}

std::size_t Sglang::unfinished() const {
  const auto counts = [&](int request) { return state(request).phase != Phase::kFinished; };
  return static_cast<std::size_t>(std::count_if(running_.begin(), running_.end(), counts) +
                                  std::count_if(prefilled_.begin(), prefilled_.end(), counts) +
                                  (chunked_ >= 0 ? 1 : 0));
}

Sglang::Room Sglang::room_for(int request) const {
  Room room;
  // What those who run hold comes back when they are retracted.
  std::int64_t held = 0;
  std::int64_t longest = 0;
  const auto may_get = [](const RequestState& its) {
    return std::min<std::int64_t>(its.output(), kMostExpected);
  };
  for (const int each : running_) {
    const RequestState& its = state(each);
    if (its.phase == Phase::kFinished) continue;
    held += kv_.pages(its.computed);
    longest = std::max(longest, its.prompt() + may_get(its));
  }
  const std::int64_t reserve = settings_.reserved_decode_tokens;
  const std::int64_t reserves =
      reserve * static_cast<std::int64_t>(unfinished() + receiving_.size() + received_.size());
  const std::int64_t output = may_get(state(request)) - held;
  const std::int64_t kept = std::max(reserves, longest - held);
  const std::int64_t needs = kv_.pages(state(request).prompt()) + std::max(reserve, output);
  room.enough = needs + kept <= kv_.memory();
  // Each token that is decoded takes one and lowers both by one.
  room.grows = output > reserve && longest - held > reserves;
  return room;
}

bool Sglang::may_get_room() const {
  if (without_room_.empty() || !waiting_.empty()) return false;
  const Room room = room_for(without_room_.front());
  return room.enough || room.grows;
}

void Sglang::reserve() {
  while (!without_room_.empty() && waiting_.empty() && chunked_ < 0) {
    const int request = without_room_.front();
    if (!room_for(request).enough) return;
    kv_.extend(request, state(request).remote_tokens);
    without_room_.pop_front();
    receiving_.push_back(request);
    reserved_.push_back(request);
  }
}

void Sglang::received(int request) {
  RequestState& its = state(request);
  std::erase(receiving_, request);
  its.remote = false;
  if (its.generated < its.output()) {
    received_.push_back(request);
  } else {
    its.phase = Phase::kFinished;
    kv_.release(request);
    full_ = false;
  }
}

void Sglang::join() {
  const auto most = static_cast<std::size_t>(settings_.max_sequences);
  for (std::size_t running = unfinished(); !received_.empty() && running < most; ++running) {
    state(received_.front()).phase = Phase::kRunning;
    running_.push_back(received_.front());
    received_.pop_front();
  }
}

void Sglang::let_go(int request) {
  kv_.release(request);
  full_ = false;
}

}  // namespace rehearse::serving
