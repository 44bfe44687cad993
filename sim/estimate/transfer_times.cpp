#include "estimate/transfer_times.hpp"

#include <algorithm>
#include <limits>

namespace rehearse {

int TransferTimes::collective(CollectiveOp op, const CollectiveUse& use, const FanOut& fan_out,
                              const std::vector<int>& gpus) {
  const auto [at, is_new] = known_.try_emplace({static_cast<int>(op), use, fan_out.back, gpus});
  if (!is_new) return at->second;
  Endpoints endpoints;
  endpoints.gpus = gpus;
  endpoints.op = op;
  endpoints.use = &use;
  return at->second = add(lines(endpoints, fan_out));
}

int TransferTimes::message(int from, int to, const CollectiveUse& use) {
  constexpr int kMessage = -1;
  const auto [at, is_new] = known_.try_emplace({kMessage, use, false, std::vector<int>{from, to}});
  if (!is_new) return at->second;
  Endpoints endpoints;
  endpoints.gpus = {from, to};
  endpoints.is_message = true;
  endpoints.use = &use;
  return at->second = add(lines(endpoints, {}));
}

int TransferTimes::fastest_of(const std::vector<int>& profiles) {
  if (profiles.size() == 1) return profiles.front();
  Profile all;
  for (const int each : profiles) {
    all.insert(all.end(), profiles_[each].begin(), profiles_[each].end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return add(all);
}

int TransferTimes::add(const Profile& profile) {
  const auto [at, is_new] = number_.try_emplace(profile, static_cast<int>(profiles_.size()));
  if (is_new) profiles_.push_back(profile);
  return at->second;
}

TransferTimes::Profile TransferTimes::lines(Endpoints& endpoints, const FanOut& fan_out) {
  endpoints.number = endpoints_++;
  Transfer transfer;
  transfer.bytes.assign(endpoints.is_message ? 1 : endpoints.gpus.size(), Bytes{1});
  transfer.fan_out = fan_out;
  Profile lines;
  for (const TransferPath* path : paths_.all(transfer, endpoints)) {
    std::pair<double, double>& line = lines.emplace_back(0, path->copy);
    for (const FlowPhase& phase : path->phases) {
      line.first += phase.latency.value;
      if (phase.volume > 0) line.second += phase.volume / phase.rate;
    }
  }
  return lines;
}

Seconds TransferTimes::time(int profile, Bytes bytes) const {
  double least = std::numeric_limits<double>::infinity();
  for (const auto& [latency, per_byte] : profiles_[profile]) {
    least = std::min(least, latency + bytes.value * per_byte);
  }
  return {least};
}

}  // namespace rehearse
