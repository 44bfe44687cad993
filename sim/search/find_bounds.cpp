#include "search/find_bounds.hpp"

#include "base/error.hpp"
#include "base/system_error.hpp"
#include "search/search_job.hpp"

namespace rehearse {
namespace {

constexpr std::size_t kBoundsPerRequest = 64;

using BoundBatch = std::vector<int>;  // of entries, all on one platform: it is loaded once

std::vector<BoundBatch> batches_of(const std::deque<Entry>& entries) {
  std::vector<BoundBatch> batches;
  for (int at = 0; at < static_cast<int>(entries.size()); ++at) {
    const bool joins =
        !batches.empty() && batches.back().size() < kBoundsPerRequest &&
        entries[batches.back().front()].candidate.platform == entries[at].candidate.platform;
    if (!joins) batches.emplace_back();
    batches.back().push_back(at);
  }
  return batches;
}

std::string request_of(const std::deque<Entry>& entries, const BoundBatch& batch) {
  std::vector<std::string> keys;
  for (const int at : batch) keys.push_back(entries[at].key);
  return bound_request(keys);
}

void take_bound(const BoundAnswer& answer, const SearchGoals& goals, Entry& entry) {
  entry.bound = answer.bound.value_or(SearchOutcome{});
  entry.excluded =
      answer.bound ? hopeless_by(entry.bound, goals) : Objection{answer.refusal, /*runs=*/false};
  if (entry.excluded.empty()) return;
  const bool simulated = answer.bound && (goals.exhaustive || entry.wanted);
  if (!simulated) entry.state = EntryState::kExcluded;
}

void take_bounds(const BoundBatch& batch, const Answer& answer, const SearchGoals& goals,
                 std::deque<Entry>& entries) {
  if (answer.end == 'R') throw InputError::relayed(answer.text);
  if (answer.end == 'S') throw SystemError::relayed(answer.text);
  if (answer.end == 'T') {
    throw InputError({"--timeout", 1, 1},
                     "too short for the bounds of some layouts: " + answer.text);
  }
  const std::vector<BoundAnswer> bounds = bound_answers(answer.text);
  if (answer.end != 'D' || bounds.size() != batch.size()) {
    throw InternalError("bounds: " + answer.text);
  }
  for (std::size_t at = 0; at < batch.size(); ++at) {
    take_bound(bounds[at], goals, entries[batch[at]]);
  }
}

}  // namespace

bool find_bounds(std::deque<Entry>& entries, const SearchGoals& goals, Workers& workers,
                 const std::function<bool(long bounded)>& report) {
  const std::vector<BoundBatch> batches = batches_of(entries);
  std::vector<std::string> requests;
  requests.reserve(batches.size());
  for (const BoundBatch& batch : batches) requests.push_back(request_of(entries, batch));
  long bounded = 0;
  return ask_all(
      workers, requests, [&] { return report(bounded); },
      [&](int request, const Answer& answer) {
        take_bounds(batches[request], answer, goals, entries);
        bounded += static_cast<long>(batches[request].size());
      });
}

}  // namespace rehearse
