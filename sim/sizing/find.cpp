// Feasible means feasible in a simulation of the same requests at another rate. More of it is worse
// nearly always, and not always: batches and routers fall out differently. What is found is a
// feasible point with an infeasible one right above it, and others further up: a rate may miss the
// objective, or its backlog look as if it grew, by how its requests happen to fall, and would hide
// that twice as many are kept up with.
#include "sizing/find.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "sizing/rates.hpp"

namespace rehearse {
namespace {

// Requests in the system, by Little's law: so few do not meet each other.
constexpr double kAlone = 1e-3;
// All of them arrive within this part of the mean time that a request stays.
constexpr double kAtOnce = 1e-3;
// Arrivals over more than ten days: dates are 64-bit picoseconds, which end after 106.
constexpr Seconds kLongest{864000};

double mean_stay(const SizedPoint& point) { return point.serving.e2e_s->mean; }

// A lower rate would be no better.
bool is_lowest(const SizedPoint& point, std::size_t requests) {
  return point.serving.refused > 0 || point.rate * mean_stay(point) < kAlone ||
         2 * static_cast<double>(requests) / point.rate > kLongest.value;
}

void refuse_all_at_once(const ServicePoints& points, const SizedPoint& point) {
  const std::size_t requests = points.plan().serve->requests.size();
  if (static_cast<double>(requests) / point.rate > kAtOnce * mean_stay(point)) return;
  throw InputError(points.plan().where.at("serve.traffic"),
                   fmt::format("serve.traffic: {} requests keep the objective however fast they "
                               "come ({:.4g} per second was tried): more of them are needed to "
                               "find the largest rate",
                               requests, point.rate));
}

LargestRate bracketed(ServicePoints& points, int replicas, double start, double step) {
  LargestRate found;
  std::optional<SizedPoint> above;
  for (double rate = start; !found.largest || !above;) {
    const SizedPoint point = points.at(rate, replicas);
    if (point.feasible()) {
      refuse_all_at_once(points, point);
      found.largest = point;
    } else {
      above = point;
      if (!found.largest && is_lowest(point, points.plan().serve->requests.size())) {
        found.above = point;
        return found;
      }
    }
    rate = rounded_rate(point.feasible() ? rate * step : rate / step);
    step = std::min(2.0, step * step);
  }
  while (above->rate > found.largest->rate * (1 + kRateResolution)) {
    const double middle = rounded_rate(std::sqrt(found.largest->rate * above->rate));
    const SizedPoint point = points.at(middle, replicas);
    (point.feasible() ? *found.largest : *above) = point;
  }
  found.above = *above;
  return found;
}

// The highest of the rates beyond that is feasible all the same.
std::optional<double> feasible_beyond(ServicePoints& points, const SizedPoint& largest) {
  std::optional<double> highest;
  for (const double share : kBeyond) {
    const double rate = rounded_rate(share * largest.rate);
    if (points.at(rate, largest.replicas).feasible()) highest = rate;
  }
  return highest;
}

}  // namespace

LargestRate find_largest_rate(ServicePoints& points, int replicas, double start, double step) {
  LargestRate found = bracketed(points, replicas, start, step);
  std::vector<SizedPoint> missed_below;
  while (found.largest) {
    const std::optional<double> higher = feasible_beyond(points, *found.largest);
    if (!higher) break;
    missed_below.push_back(found.above);
    found = bracketed(points, replicas, *higher, kBeyond[0]);
  }
  found.missed_below = std::move(missed_below);
  return found;
}

FewestReplicas find_fewest_replicas(ServicePoints& points, double rate) {
  FewestReplicas found;
  found.most = points.most_replicas();
  int too_few = 0;
  for (int replicas = 1; !found.at; replicas = std::min(found.most, 2 * replicas)) {
    const SizedPoint point = points.at(rate, replicas);
    if (point.feasible()) {
      found.at = point;
    } else if (replicas == found.most) {
      found.with_most = point;
      return found;
    } else {
      too_few = replicas;
    }
  }
  while (found.at->replicas > too_few + 1) {
    const SizedPoint point = points.at(rate, (too_few + found.at->replicas) / 2);
    if (point.feasible()) {
      found.at = point;
    } else {
      too_few = point.replicas;
    }
  }
  const int fewest = found.at->replicas;
  if (fewest > 1) found.one_less = points.at(rate, fewest - 1);
  if (fewest < found.most) found.one_more = points.at(rate, fewest + 1);
  return found;
}

}  // namespace rehearse
