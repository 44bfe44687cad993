#include "metrics/token_times.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace rehearse {

TokenTimes::TokenTimes(const Plan& plan)
    : output_tokens_(plan.batch.output_tokens),
      expert_(plan.layout.expert),
      first_token_(plan.batch.sequences, -1),
      last_token_(plan.batch.sequences, -1),
      replicas_(plan.layout.dense_data()) {}

void TokenTimes::sampled(const RankEntry& entry, const Action& pass, Phase phase, int step,
                         double date) {
  if (pass.sequences.count == 0) return;
  const bool prefill = phase == Phase::kPrefill;
  Replica& replica = replicas_[entry.at.data * expert_ + entry.at.expert];
  if (!prefill && replica.step != step) {
    if (replica.step >= 0) steps_.add(replica.end - replica.end_before, 1);
    replica.step = step;
    replica.end_before = replica.end;
  }
  replica.end = std::max(replica.end, date);
  const int first = entry.sequences.first + pass.sequences.first;
  for (int request = first; request < first + pass.sequences.count; ++request) {
    if (prefill) {
      first_token_[request] = date;
    } else {
      gaps_.add(date - last_token_[request], 1);
    }
    last_token_[request] = date;
  }
}

void TokenTimes::end() {
  for (const double date : first_token_) SIM_CHECK(date >= 0, "a request got no token");
  for (const Replica& replica : replicas_) {
    if (replica.step >= 0) steps_.add(replica.end - replica.end_before, 1);
  }
}

std::optional<Distribution> TokenTimes::tpot() const {
  if (output_tokens_ == 1) return std::nullopt;
  std::vector<double> per_token;
  per_token.reserve(first_token_.size());
  for (std::size_t request = 0; request < first_token_.size(); ++request) {
    per_token.push_back((last_token_[request] - first_token_[request]) / (output_tokens_ - 1));
  }
  return distribution_of(std::move(per_token));
}

}  // namespace rehearse
