// Which requests an engine serves together, decided as they arrive. One file for each scheduler in
// batching/.
//
// An engine is the replicas that step together; it has a scheduler of its own, which is told what
// happens and asked what to do, both in the order of dates. What it decides is the engine's log:
// all its ranks do that and nothing else, in its order.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.hpp"

namespace rehearse {

// The engine serves these requests, from the first to the last token of each.
struct Decision {
  Seconds not_before;         // of a log: they never fall
  std::vector<int> requests;  // at least one, in order of arrival
};

class BatchScheduler {
 public:
  virtual ~BatchScheduler() = default;
  // The request is there from now on: its number in the trace.
  virtual void arrived(int request) = 0;
  virtual void no_more_come() = 0;
  // What there is to decide now, in the order in which the engine shall do it.
  virtual std::vector<Decision> decide(Seconds now) = 0;
};

// What bounds an engine.
struct EngineLimits {
  int max_sequences = 1;  // of all its replicas together
};

struct BatchSchedulerKind {
  std::string_view name;
  // Whether it decides without knowing when anything ends: then its log is complete before anything
  // runs (decide_beforehand), nobody asks during a replay, and ranks may run ahead.
  bool ignores_ends = false;
  std::unique_ptr<BatchScheduler> (*make)(const EngineLimits& limits) = nullptr;
};

std::span<const BatchSchedulerKind* const> batch_schedulers();
const BatchSchedulerKind* batch_scheduler_named(std::string_view name);  // nullptr: there is none
std::string names_of_batch_schedulers();

// The log of an engine to which these requests of the trace come, in order of arrival. REQUIRES:
// kind.ignores_ends.
std::vector<Decision> decide_beforehand(const BatchSchedulerKind& kind, const EngineLimits& limits,
                                        const std::vector<Request>& trace,
                                        const std::vector<int>& requests);

// Requests of a trace to engines in turns, in order of arrival: by engine.
std::vector<std::vector<int>> round_robin(int requests, int engines);

}  // namespace rehearse
