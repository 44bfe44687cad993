// `rehearse traffic FILE`: what a trace of requests asks for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/table.hpp"
#include "input/traces/request_trace.hpp"
#include "metrics/distribution.hpp"

namespace rehearse {

// Sessions that arrive from one date to the other, counted from the first arrival.
struct TrafficSpan {
  Seconds begin;
  Seconds end;
  long requests = 0;
};

struct TrafficSummary {
  std::string format;
  long requests = 0;
  // Requests that continue no other; the others come when those have ended, which nobody knows yet:
  // dates, rates and spans are of sessions.
  long sessions = 0;
  int concurrency = 0;  // so many at a time, each as soon as one has ended; 0: by dates
  long failed = 0;      // lines that were left out: they got no token
  Seconds duration;     // from the first arrival to the last
  double rate = 0;      // (sessions - 1) / duration; 0: all at once
  double gap_variation =
      0;           // standard deviation of the gaps over their mean: 1 of a Poisson process
  long dates = 0;  // different ones
  std::vector<TrafficSpan> spans;  // ten of equal length; none where all arrive at once
  Distribution prompt_tokens;
  Distribution output_tokens;
  // Of the prompt tokens, the share in leading blocks that an earlier request had, too: what a
  // cache without end would save. Nothing where the trace says nothing of shared prefixes.
  std::optional<double> reusable_share;
};

TrafficSummary summarize(const RequestTrace& trace, int concurrency = 0);
// Of a trace file, or of a plan that has one.
TrafficSummary traffic_of(const std::string& path);
std::string traffic_text(const std::string& path, const TrafficSummary& traffic);
// A row `all`, and one for each span of arrivals.
Table traffic_rows(const TrafficSummary& traffic);
std::string traffic_json(const TrafficSummary& traffic);

}  // namespace rehearse
