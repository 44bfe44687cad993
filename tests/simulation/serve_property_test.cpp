// Laws that hold of every trace on every layout: nobody is served before he is there, an engine has
// one batch at a time, its time has five words, and as many requests are there on average as arrive
// in the time that one stays (Little's law).
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "simulation/served.hpp"

namespace rehearse {
namespace {

Layout draw_layout(bool experts) {
  Layout layout;
  layout.tensor = *rc::gen::element(1, 2);
  layout.pipeline = *rc::gen::element(1, 2);
  layout.data = *rc::gen::element(1, 2);
  if (experts) layout.expert = *rc::gen::element(1, 2);
  return layout;
}

std::vector<Arriving> draw_trace() {
  const int requests = *rc::gen::inRange(1, 14);
  std::vector<Arriving> trace;
  double now = 0;
  for (int at = 0; at < requests; ++at) {
    now += *rc::gen::element(0.0, 1e-4, 1e-3, 1e-2);
    trace.push_back({now, *rc::gen::inRange(1, 6000), *rc::gen::inRange(1, 7)});
  }
  return trace;
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max(1.0, std::abs(b)); }

// Requests in the system, mean over the window: from date to date as many as have arrived and not
// ended.
double mean_number_there(const std::vector<Arriving>& trace, const Told& told) {
  std::vector<std::pair<double, int>> changes;
  for (int at = 0; at < static_cast<int>(trace.size()); ++at) {
    changes.emplace_back(trace[at].at, 1);
    changes.emplace_back(told.ended(trace, at), -1);
  }
  std::sort(changes.begin(), changes.end());
  double area = 0;
  int there = 0;
  for (std::size_t at = 0; at < changes.size(); ++at) {
    if (at > 0) area += there * (changes[at].first - changes[at - 1].first);
    there += changes[at].second;
  }
  return area / (changes.back().first - changes.front().first);
}

RC_GTEST_PROP(ServeLaws, HoldForEveryTrace, ()) {
  const bool experts = *rc::gen::arbitrary<bool>();
  const Model model = experts ? small_moe_model(2) : small_dense_model(2);
  const Layout layout = draw_layout(experts);
  const std::vector<Arriving> trace = draw_trace();
  const int most = *rc::gen::inRange(1, 4);
  const Plan plan = plan_serving(trace, most, layout);
  const Told told =
      serve(model, plan, star(16, {1e9, 2e-6}, {.kernel_launch = 3e-6, .collective_launch = 5e-6}));
  RC_ASSERT(near(told.shares, 1));
  RC_ASSERT(near(told.path, told.makespan));

  double last = 0;
  std::vector<double> free(layout.data, 0);  // by engine: end of its batch
  std::vector<double> begun(layout.data, -1);
  std::vector<double> ends(layout.data, 0);
  for (int at = 0; at < static_cast<int>(trace.size()); ++at) {
    const Told::OfRequest& request = told.requests[at];
    RC_ASSERT(request.engine == at % layout.data);
    RC_ASSERT(request.queue >= 0);
    RC_ASSERT(request.ttft > request.queue);
    const bool single = trace[at].output == 1;
    RC_ASSERT((single ? near(request.e2e, request.ttft) : request.e2e > request.ttft));
    const double start = trace[at].at + request.queue;
    double& begin = begun[request.engine];
    // Of one batch all have one start; the next is not before the end of this.
    if (!near(start, begin)) {
      free[request.engine] = ends[request.engine];
      RC_ASSERT(start >= free[request.engine] - 1e-12);
      begin = start;
    }
    ends[request.engine] = std::max(ends[request.engine], told.ended(trace, at));
    last = std::max(last, told.ended(trace, at));
  }
  RC_ASSERT(near(told.window, last - trace.front().at));
  RC_ASSERT(near(told.rate * told.mean_e2e, mean_number_there(trace, told)));
}

}  // namespace
}  // namespace rehearse
