#include "metrics/token_times.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace rehearse {

TokenTimes::TokenTimes(const Plan& plan)
    : plan_(plan),
      first_token_(plan.batch.sequences, -1),
      last_token_(first_token_.size(), -1),
      replicas_(plan.layout.dense_data()) {}

void TokenTimes::sampled(const Programs& programs, Rank rank, const Action& pass, int step,
                         double date) {
  if (pass.sequences.count == 0) return;
  const RankEntry& entry = programs.ranks[rank];
  const int token = pass.token + step;
  Replica& replica = replicas_[entry.at.data * plan_.layout.expert + entry.at.expert];
  if (replica.token != token) end_step(replica);
  replica.token = token;
  replica.end = std::max(replica.end, date);
  for (int at = 0; at < pass.sequences.count; ++at) {
    const int request = programs.request_of(entry, pass, at);
    if (token == 0) {
      first_token_[request] = date;
    } else {
      gaps_.add(date - last_token_[request], 1);
    }
    last_token_[request] = date;
  }
}

void TokenTimes::end_step(Replica& replica) {
  if (replica.token > 0) steps_.add(replica.end - replica.end_before, 1);
  replica.end_before = replica.end;
}

void TokenTimes::end() {
  for (const double date : first_token_) SIM_CHECK(date >= 0, "a request got no token");
  for (Replica& replica : replicas_) end_step(replica);
}

Distribution TokenTimes::ttft() const { return distribution_of(first_token_); }

std::optional<Distribution> TokenTimes::tpot() const {
  const int gaps = plan_.batch.output_tokens - 1;
  if (gaps == 0) return std::nullopt;
  std::vector<double> per_token;
  per_token.reserve(first_token_.size());
  for (std::size_t request = 0; request < first_token_.size(); ++request) {
    per_token.push_back((last_token_[request] - first_token_[request]) / gaps);
  }
  return distribution_of(std::move(per_token));
}

}  // namespace rehearse
