// The fluid network knows dates in seconds, engines in picoseconds: what happens within half a
// picosecond happens at once. Each flow spends its route's latency before it is there, then shares
// its links; rates change whenever one begins or ends, so that is how far it is worked out ahead.
#include "service/kv_flows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "layout/layout.hpp"
#include "platform/network_share.hpp"

namespace rehearse {
namespace {

using serving::KvPart;
using serving::Picoseconds;

constexpr double kPicosecond = 1e-12;

// Engines number replicas so: ranks that share experts, then data-parallel engines, then copies of
// the layout.
int gpu_of(const KvPool& pool, int replica, const KvRank& rank) {
  const int engine = replica / pool.ranks;
  Coordinates at;
  at.tensor = rank.tensor;
  at.pipeline = rank.stage;
  at.expert = replica % pool.ranks;
  at.data = engine % pool.layout.data;
  const int copy = engine / pool.layout.data;
  return pool.first_gpu + copy * pool.layout.gpus() + RankGrid(pool.layout).rank(at);
}

}  // namespace

Bytes bytes_of(const SequenceCache& cache, const KvPart& part) {
  const auto tokens = static_cast<double>(part.tokens);
  const auto sequence = static_cast<double>(part.sequence);
  Bytes bytes = (cache.token + cache.index) * tokens;
  if (part.sequence == 0) return bytes;
  bytes += cache.state;
  for (const SequenceCache::Window& window : cache.windows) {
    bytes += window.each * std::min(sequence, window.tokens);
  }
  return bytes;
}

Bytes sent_bytes(const std::vector<KvShare>& shares, std::int64_t tokens) {
  Bytes sum;
  for (const KvShare& share : shares) sum += bytes_of(share.cache, {tokens, tokens});
  return sum;
}

KvFlows::KvFlows(const Model& model, Cluster& cluster, KvPool prefill, KvPool decode)
    : platform_(cluster.platform()),
      prefill_(std::move(prefill)),
      decode_(std::move(decode)),
      shares_(kv_shares(model, prefill_.layout, decode_.layout, prefill_.drafts && decode_.drafts)),
      paths_(cluster, network_, {}) {}

KvFlows::Way KvFlows::way_between(int from, int to) {
  const MessagePath& message = paths_.message(from, to);
  Way way = {message.flow, message.latency};
  const int domain = platform_.gpus[from].domain;
  if (domain >= 0 && domain == platform_.gpus[to].domain) return way;
  const double reached = std::min(reached_of_network(platform_.device_of(from)),
                                  reached_of_network(platform_.device_of(to)));
  for (LinkShare& share : way.flow.links) share.streams /= reached;
  way.flow.rate_cap *= reached;
  network_.finish_path(way.flow);
  return way;
}

const KvFlows::Ways& KvFlows::ways_between(int from, int to) {
  const auto [at, is_new] = ways_.try_emplace({from, to});
  if (!is_new) return at->second;
  at->second.reserve(shares_.size());
  for (const KvShare& share : shares_) {
    at->second.push_back(
        way_between(gpu_of(prefill_, from, share.from), gpu_of(decode_, to, share.to)));
  }
  return at->second;
}

void KvFlows::start(Picoseconds now, int transfer, int from, int to, const KvPart& part) {
  if (transfer >= static_cast<int>(flows_left_.size())) flows_left_.resize(transfer + 1, 0);
  told_ = now;
  const Ways& ways = ways_between(from, to);
  const double date = std::max(now_, static_cast<double>(now) * kPicosecond);
  for (std::size_t at = 0; at < shares_.size(); ++at) {
    const double bytes = bytes_of(shares_[at].cache, part).value;
    if (bytes <= 0) continue;
    starts_.push({date + ways[at].latency.value, started_++, transfer, &ways[at], bytes});
    ++flows_left_[transfer];
  }
  if (flows_left_[transfer] == 0) {
    of_nothing_.push_back(transfer);
    next_date_ = date;
    next_ = now;
  } else if (starts_.top().date < next_date_ || next_ == serving::kNever) {
    look_ahead();
  }
}

void KvFlows::ended(int transfer, std::vector<int>& done) {
  if (--flows_left_[transfer] == 0) done.push_back(transfer);
}

void KvFlows::end(std::vector<int>& done) {
  SIM_CHECK(next_ != serving::kNever, "no transfer that could end");
  now_ = next_date_ + kPicosecond / 2;
  told_ = next_;
  done.insert(done.end(), of_nothing_.begin(), of_nothing_.end());
  of_nothing_.clear();
  int transfer = 0;
  double date = 0;
  while (network_.pop_completed(now_, transfer, date)) ended(transfer, done);
  while (!starts_.empty() && starts_.top().date <= now_) {
    const Start& next = starts_.top();
    network_.start(next.way->flow, next.bytes, next.date, next.transfer);
    starts_.pop();
  }
  look_ahead();
}

// No earlier than what is worked out, and dates that engines hear of never fall: a double of hours
// has no picoseconds.
void KvFlows::look_ahead() {
  double next = network_.next_completion(now_);
  if (!starts_.empty()) next = std::min(next, starts_.top().date);
  if (std::isinf(next)) {
    next_ = serving::kNever;
    return;
  }
  next_date_ = std::max(next, now_);
  next_ = std::max<Picoseconds>(told_, std::llround(next_date_ / kPicosecond));
}

}  // namespace rehearse
