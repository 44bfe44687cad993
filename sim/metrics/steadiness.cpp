// A line is laid through the number of requests in the system, by least squares over all of the
// time: the number is constant between events, so the integrals are exact. Its slope is how fast
// the backlog grows.
//
// A backlog that wanders has a slope, too, and the usual error of a slope does not hold for it: its
// values hang together. But it wanders around its line about as far as it gets along it: a pure
// random walk rises by more than 5 times its root mean square distance from its own line one time
// in eight, a queue that is stable long before it fills up hardly ever. And a growth that is a
// small part of what is offered is none in practice. Of M/D/1 queues with 2,000 requests, 300 seeds
// each, so many were called unsteady: none at a utilization of 0.8, 0.3 % at 0.9, 17 % at 1, all at
// 1.2.
#include "metrics/steadiness.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rehearse {
namespace {

constexpr double kDistances = 5;
constexpr double kLeastShare = 0.02;  // of the offered rate

}  // namespace

BacklogGrowth backlog_growth(const std::vector<Stay>& stays, double begin, double end,
                             double offered_rate) {
  std::vector<std::pair<double, int>> events;
  events.reserve(2 * stays.size());
  for (const Stay& stay : stays) {
    events.emplace_back(stay.from, 1);
    events.emplace_back(stay.to, -1);
  }
  std::sort(events.begin(), events.end());
  const double from = (begin + end) / 2;
  const double middle = (from + end) / 2;
  const double length = end - from;
  double backlog = 0;
  double since = from - middle;
  double sum = 0;      // of the backlog, over time
  double moment = 0;   // times the time from the middle
  double squares = 0;  // of its squares
  const auto until = [&](double date) {
    const double to = std::clamp(date, from, end) - middle;
    sum += backlog * (to - since);
    moment += backlog * (to * to - since * since) / 2;
    squares += backlog * backlog * (to - since);
    since = to;
  };
  for (const auto& [date, change] : events) {
    until(date);
    backlog += change;
  }
  until(end);
  const double slope = 12 * moment / (length * length * length);
  const double mean = sum / length;
  const double variance = squares / length - mean * mean - slope * slope * length * length / 12;
  const double distance = std::sqrt(std::max(0.0, variance));
  const bool grows = slope > kLeastShare * offered_rate && slope * length > kDistances * distance;
  return {slope, !grows};
}

}  // namespace rehearse
