#include "trace/request_lifetimes.hpp"

#include <algorithm>
#include <cstddef>

#include "trace/json_text.hpp"

namespace rehearse {
RequestLifetimes::RequestLifetimes(const Programs& programs, const RankCopies& copies)
    : programs_(programs), copies_(copies), samples_(programs.ranks.size()) {
  int last_stage = 0;
  for (const Program& program : programs.programs) {
    last_stage = std::max(last_stage, program.stage);
  }
  for (std::size_t rank = 0; rank < programs.ranks.size(); ++rank) {
    const RankEntry& entry = programs.ranks[rank];
    const Program& program = programs.programs[entry.program];
    if (program.stage == last_stage && entry.at.tensor == 0 && entry.at.context == 0) {
      samples_[rank].resize(program.actions.size());
    }
  }
}

void RequestLifetimes::sampled(Rank rank, int action, std::int64_t end) {
  if (samples_[rank].empty()) return;
  Samples& samples = samples_[rank][action];
  samples.last = std::max(samples.last, end);
  ++samples.count;
}

void RequestLifetimes::add(Rank copy, std::map<int, RequestLifetime>& by_request) const {
  const std::vector<Samples>& samples = samples_[copies_.image_of(copy)];
  const RankEntry entry = copies_.entry(copy);
  for (std::size_t at = 0; at < samples.size(); ++at) {
    const Action& action = programs_.programs[entry.program].actions[at];
    if (samples[at].count == 0) continue;
    for (int i = 0; i < action.sequences.count; ++i) {
      const int request = Programs::request_of(entry, action, i);
      RequestLifetime& lifetime = by_request[request];
      lifetime.request = request;
      lifetime.replica = copies_.dense_replica_of(copy);
      if (action.token == 0) {
        lifetime.first_token = std::max(lifetime.first_token, samples[at].last);
      }
      lifetime.last_token = std::max(lifetime.last_token, samples[at].last);
      lifetime.tokens += samples[at].count;
    }
  }
}

std::vector<RequestLifetime> RequestLifetimes::of_service() const {
  std::vector<RequestLifetime> lifetimes;
  for (std::size_t request = 0; request < programs_.served.size(); ++request) {
    const RequestDates& its = programs_.served[request];
    if (its.tokens == 0) continue;
    lifetimes.push_back({static_cast<int>(request), its.replica, to_nanoseconds(its.arrival),
                         to_nanoseconds(its.first_token), to_nanoseconds(its.last_token),
                         its.tokens});
  }
  return lifetimes;
}

std::vector<RequestLifetime> RequestLifetimes::lifetimes() const {
  if (!programs_.served.empty()) return of_service();
  std::map<int, RequestLifetime> by_request;
  for (Rank copy = 0; copy < copies_.size(); ++copy) add(copy, by_request);
  std::vector<RequestLifetime> lifetimes;
  lifetimes.reserve(by_request.size());
  for (const auto& [request, lifetime] : by_request) lifetimes.push_back(lifetime);
  return lifetimes;
}

}  // namespace rehearse
