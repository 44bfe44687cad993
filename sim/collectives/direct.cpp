// Direct exchange: all messages at once (NCCL's grouped send/recv). A member's messages share its
// port. Libraries that know the NICs of a domain (GroupShape::channels) send a message for another
// domain through the member whose place is the receiver's, so that it stays on that member's rail
// (NCCL's PXN):
//   all_to_all: latency + (n-1)/n x bytes / bandwidth;   gather, scatter: latency + (n-1) x shard /
//   bandwidth at the root;   send_recv: latency + bytes / bandwidth.
#include <utility>

#include "collectives/algorithms.hpp"
#include "collectives/domains.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

// Not `Schedule{step}`: that copies, and a step of 1,024 members has a million messages.
Schedule single(Step step) {
  Schedule schedule;
  schedule.push_back(std::move(step));
  return schedule;
}

// Who passes a message on: the sender's neighbour with the receiver's place; -1: nobody.
class Rails {
 public:
  explicit Rails(const GroupShape& group) {
    if (group.channels == 0) return;
    servers_ = servers_of(group);
    server_of_.resize(group.size());
    place_of_.resize(group.size());
    for (std::size_t server = 0; server < servers_.size(); ++server) {
      for (std::size_t place = 0; place < servers_[server].size(); ++place) {
        server_of_[servers_[server][place]] = server;
        place_of_[servers_[server][place]] = place;
      }
    }
  }

  int via(int from, int to) const {
    if (servers_.empty() || server_of_[from] == server_of_[to]) return -1;
    const std::vector<int>& own = servers_[server_of_[from]];
    const int neighbour = place_of_[to] < own.size() ? own[place_of_[to]] : from;
    return neighbour == from ? -1 : neighbour;
  }

 private:
  std::vector<std::vector<int>> servers_;
  std::vector<std::size_t> server_of_;
  std::vector<std::size_t> place_of_;
};

// Of an all_to_all.
void by_sender(const GroupShape& group, const Buffers& buffers,
               const CollectiveAlgorithm::TakeMessages& take) {
  const int n = group.size();
  const Rails rails(group);
  std::vector<MemberMessage> sent(n - 1);
  const bool even = buffers.splits.empty();
  for (int from = 0; from < n; ++from) {
    const Bytes part = buffers.part(from, from);  // one division, and not n
    for (int shift = 1; shift < n; ++shift) {
      const int to = from + shift < n ? from + shift : from + shift - n;
      sent[shift - 1] = {from, to, even ? part : buffers.part(from, to), rails.via(from, to)};
    }
    take(sent);
  }
}

Seconds root_time(const GroupShape& group, Bytes shard, Seconds latency, BytesPerSecond bandwidth) {
  return latency + shard * (group.size() - 1) / bandwidth;
}

}  // namespace

const CollectiveAlgorithm kDirectAllToAll = {
    "direct",
    CollectiveOp::kAllToAll,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      const std::size_t n = group.domain.size();
      Step step;
      step.messages.reserve(n * (n - 1));
      by_sender(group, buffers, [&](std::span<const MemberMessage> sent) {
        step.messages.insert(step.messages.end(), sent.begin(), sent.end());
      });
      return single(std::move(step));
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      const int n = group.size();
      return latency + bytes * (n - 1) / n / bandwidth;
    },
    by_sender};

const CollectiveAlgorithm kDirectGather = {
    "direct",
    CollectiveOp::kGather,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      Step step;
      for (int from = 1; from < group.size(); ++from)
        step.messages.push_back({from, 0, buffers.bytes[from]});
      return single(std::move(step));
    },
    root_time};

const CollectiveAlgorithm kDirectScatter = {"direct",
                                            CollectiveOp::kScatter,
                                            true,
                                            serves_all,
                                            [](const GroupShape& group, const Buffers& buffers) {
                                              Step step;
                                              for (int to = 1; to < group.size(); ++to)
                                                step.messages.push_back({0, to, buffers.bytes[to]});
                                              return single(std::move(step));
                                            },
                                            root_time};

// nccl-tests' sendrecv_perf: around a ring of all members; of two members, both ways at once.
const CollectiveAlgorithm kDirectSendRecv = {
    "direct",
    CollectiveOp::kSendRecv,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      const int n = group.size();
      const Rails rails(group);
      Step step;
      step.messages.reserve(static_cast<std::size_t>(n));
      for (int from = 0; from < n; ++from) {
        const int to = from + 1 < n ? from + 1 : 0;
        step.messages.push_back({from, to, buffers.bytes[from], rails.via(from, to)});
      }
      return single(std::move(step));
    },
    [](const GroupShape& /*group*/, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return latency + bytes / bandwidth;
    }};

}  // namespace rehearse
