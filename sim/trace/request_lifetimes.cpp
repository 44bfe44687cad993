#include "trace/request_lifetimes.hpp"

#include <algorithm>
#include <cstddef>

namespace rehearse {
namespace {

void add_pass(RequestLifetime& lifetime, Phase phase, std::int64_t last, int count) {
  if (phase == Phase::kPrefill) {
    lifetime.first_token = std::max(lifetime.first_token, last);
    lifetime.tokens += 1;
  } else {
    lifetime.tokens += count;
  }
  lifetime.last_token = std::max(lifetime.last_token, last);
}

}  // namespace

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
  // Where several ranks are asked about a replica (expert ranks in it), all know the same.
  if (by_request.count(entry.sequences.first) != 0) return;
  for (std::size_t at = 0; at < samples.size(); ++at) {
    const Action& action = programs_.programs[entry.program].actions[at];
    if (samples[at].count == 0) continue;
    const Phase phase = programs_.pass_of(action).phase;
    for (int i = 0; i < action.sequences.count; ++i) {
      const int request = entry.sequences.first + action.sequences.first + i;
      RequestLifetime& lifetime = by_request[request];
      lifetime.request = request;
      lifetime.replica = copies_.dense_replica_of(copy);
      add_pass(lifetime, phase, samples[at].last, samples[at].count);
    }
  }
}

std::vector<RequestLifetime> RequestLifetimes::lifetimes() const {
  std::map<int, RequestLifetime> by_request;
  for (Rank copy = 0; copy < copies_.size(); ++copy) add(copy, by_request);
  std::vector<RequestLifetime> lifetimes;
  lifetimes.reserve(by_request.size());
  for (const auto& [request, lifetime] : by_request) lifetimes.push_back(lifetime);
  return lifetimes;
}

}  // namespace rehearse
