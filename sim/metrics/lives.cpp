// Of sessions only the first turn comes whatever the service does: an overloaded one puts off the
// later ones. So their arrivals are the sessions'.
#include "metrics/lives.hpp"

#include <algorithm>

namespace rehearse {
namespace {

double to_seconds(serving::Picoseconds time) { return serving::to_seconds(time).value; }

bool has_sessions(const Serve& serve) {
  return std::any_of(serve.requests.begin(), serve.requests.end(),
                     [](const Request& each) { return each.after >= 0; });
}

// The first turn of each one's session.
std::vector<int> first_turns(const Serve& serve) {
  std::vector<int> first(serve.requests.size());
  for (std::size_t number = 0; number < first.size(); ++number) {
    const int after = serve.requests[number].after;
    first[number] = after < 0 ? static_cast<int>(number) : first[after];
  }
  return first;
}

double last_arrival(const Serve& serve, const serving::ServiceResult& result) {
  serving::Picoseconds last = 0;
  for (std::size_t number = 0; number < result.requests.size(); ++number) {
    if (serve.requests[number].after < 0) last = std::max(last, result.requests[number].arrival);
  }
  return to_seconds(last);
}

}  // namespace

std::vector<Life> lives_of(const Serve& serve, const serving::ServiceResult& result) {
  const std::vector<int> first = first_turns(serve);
  std::vector<Life> by_first(first.size(), Life{0, -1, 0});
  for (std::size_t number = 0; number < first.size(); ++number) {
    const serving::ServedRequest& its = result.requests[number];
    if (its.phase != serving::Phase::kFinished) continue;
    Life& life = by_first[first[number]];
    life.from = to_seconds(result.requests[first[number]].arrival);
    life.to = std::max(life.to, to_seconds(its.last_token));
    life.queued += to_seconds(its.first_scheduled - its.arrival);
  }
  std::erase_if(by_first, [](const Life& each) { return each.to < 0; });
  return by_first;
}

std::optional<ArrivalWindow> arrival_window(const Serve& serve,
                                            const serving::ServiceResult& result,
                                            const std::vector<Life>& lives) {
  if (serve.concurrency > 0 || lives.empty()) return std::nullopt;
  ArrivalWindow window;
  window.sessions = has_sessions(serve);
  window.arrivals_s = last_arrival(serve, result);
  window.requests = static_cast<int>(serve.requests.size());
  for (const Life& each : lives) window.life_s += each.to - each.from - each.queued;
  window.life_s /= static_cast<double>(lives.size());
  if (window.arrivals_s <= 0 || window.life_s <= 0) return std::nullopt;
  return window;
}

}  // namespace rehearse
