#include <algorithm>
#include <array>
#include <iterator>

#include "base/error.hpp"
#include "schedule/batching/schedulers.hpp"

namespace rehearse {
namespace {

constexpr std::array kSchedulers = {&kStaticBatching};

}  // namespace

std::span<const BatchSchedulerKind* const> batch_schedulers() { return kSchedulers; }

const BatchSchedulerKind* batch_scheduler_named(std::string_view name) {
  const auto* const found =
      std::find_if(kSchedulers.begin(), kSchedulers.end(),
                   [&](const BatchSchedulerKind* each) { return each->name == name; });
  return found == kSchedulers.end() ? nullptr : *found;
}

std::string names_of_batch_schedulers() {
  std::string names;
  for (const BatchSchedulerKind* each : kSchedulers) {
    names += names.empty() ? "" : " ";
    names += each->name;
  }
  return names;
}

std::vector<Decision> decide_beforehand(const BatchSchedulerKind& kind, const EngineLimits& limits,
                                        const std::vector<Request>& trace,
                                        const std::vector<int>& requests) {
  SIM_CHECK(kind.ignores_ends, "a scheduler that has to know ends is asked as they come");
  const std::unique_ptr<BatchScheduler> scheduler = kind.make(limits);
  std::vector<Decision> log;
  for (std::size_t at = 0; at < requests.size(); ++at) {
    scheduler->arrived(requests[at]);
    if (at + 1 == requests.size()) scheduler->no_more_come();
    std::vector<Decision> decided = scheduler->decide(trace[requests[at]].arrival);
    std::move(decided.begin(), decided.end(), std::back_inserter(log));
  }
  return log;
}

std::vector<std::vector<int>> round_robin(int requests, int engines) {
  std::vector<std::vector<int>> dealt(engines);
  for (int request = 0; request < requests; ++request) {
    dealt[request % engines].push_back(request);
  }
  return dealt;
}

}  // namespace rehearse
