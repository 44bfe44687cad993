// Ring algorithms (Patarasuk and Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters
// of workstations"): in every round each member sends one n-th of the buffer to its right
// neighbour.
//   reduce_scatter, all_gather: n-1 rounds;   all_reduce: both, 2(n-1) rounds
//   time = rounds x (latency + bytes / n / bandwidth), bandwidth-optimal.
//   broadcast, reduce: the whole buffer over n-1 hops in small chunks, so that all hops work at
//   once: time = (n-1) x latency + bytes / bandwidth.
//
// Libraries build several rings (GroupShape::channels) of the same members, each with its part of
// the buffer: ring c enters each domain at its c-th member, passes all of them, and leaves through
// that first member again, which passes on what the last one sends (NCCL's rings with
// NCCL_CROSS_NIC=0, its graph/connect.cc): so every NIC carries its share, and what leaves the
// NIC of place c arrives at one of place c. A chunk then goes from one domain to another in N-1 of
// n-1 rounds, N domains. In a mesh the rings pass a domain along different wires: the paths of
// Walecki (Lucas 1892, "Recreations mathematiques" II) use each wire once in each direction.
#include <algorithm>
#include <cstddef>
#include <tuple>

#include "collectives/algorithms.hpp"
#include "collectives/domains.hpp"
#include "collectives/rings.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

// One ring through all servers: its messages.
void add_ring(const std::vector<std::vector<int>>& servers, int channel, bool mesh, Bytes chunk,
              std::vector<MemberMessage>& messages) {
  std::vector<std::vector<int>> orders;
  orders.reserve(servers.size());
  for (const std::vector<int>& members : servers)
    orders.push_back(path_through(members, channel, mesh));
  for (std::size_t server = 0; server < orders.size(); ++server) {
    const std::vector<int>& order = orders[server];
    for (std::size_t at = 0; at + 1 < order.size(); ++at) {
      messages.push_back({order[at], order[at + 1], chunk});
    }
    const int next = orders[(server + 1) % orders.size()].front();
    const bool passed_on = servers.size() > 1 && order.size() > 1;
    messages.push_back({order.back(), next, chunk, passed_on ? order.front() : -1});
  }
}

// Messages of several rings between the same members become one.
void merge_alike(std::vector<MemberMessage>& messages) {
  const auto key = [](const MemberMessage& message) {
    return std::tuple(message.from, message.to, message.via);
  };
  std::sort(messages.begin(), messages.end(),
            [&](const MemberMessage& a, const MemberMessage& b) { return key(a) < key(b); });
  std::size_t kept = 0;
  for (std::size_t at = 1; at < messages.size(); ++at) {
    if (key(messages[at]) == key(messages[kept])) {
      messages[kept].bytes += messages[at].bytes;
    } else {
      messages[++kept] = messages[at];
    }
  }
  messages.resize(kept + 1);
}

struct Rings {
  std::vector<MemberMessage> messages;  // of all rings, one round
  int servers = 1;
};

// `chunk`: what a single ring would send in a round.
Rings rings(const GroupShape& group, Bytes chunk) {
  Rings all;
  if (group.channels == 0) {  // one, in the order of the members
    for (int member = 0; member < group.size(); ++member) {
      all.messages.push_back({member, (member + 1) % group.size(), chunk});
    }
    return all;
  }
  const auto servers = servers_of(group);
  all.servers = static_cast<int>(servers.size());
  all.messages.reserve(static_cast<std::size_t>(group.size()) * group.channels);
  for (int channel = 0; channel < group.channels; ++channel) {
    add_ring(servers, channel, group.mesh, chunk / group.channels, all.messages);
  }
  merge_alike(all.messages);
  return all;
}

// `passes`: times that each chunk goes around.
Schedule around(const GroupShape& group, int passes, Bytes chunk) {
  Rings all = rings(group, chunk);
  Schedule schedule(1);
  schedule.front().repeat = passes * (group.size() - 1);
  if (all.servers > 1) schedule.front().across = passes * (all.servers - 1);
  schedule.front().messages = std::move(all.messages);
  return schedule;
}

Seconds around_time(int rounds, Bytes chunk, Seconds latency, BytesPerSecond bandwidth) {
  return (latency + chunk / bandwidth) * rounds;
}

// From the root around to the member before it, or the other way: the hop that would close the ring
// is not taken.
Schedule along(const GroupShape& group, Bytes bytes, bool from_root) {
  Rings all = rings(group, bytes);
  std::erase_if(all.messages, [&](const MemberMessage& message) {
    return (from_root ? message.to : message.from) == 0;
  });
  const bool several = all.servers > 1;
  Schedule schedule(1);
  schedule.front().messages = all.messages;
  if (group.size() == 2) return schedule;
  for (MemberMessage& message : all.messages) message.bytes = {};
  Step& rest = schedule.emplace_back();
  rest.repeat = group.size() - 2;
  rest.messages = std::move(all.messages);
  if (several)
    rest.across = std::min(rest.repeat, all.servers - 2 + (group.size() == all.servers ? 1 : 0));
  return schedule;
}

Seconds along_time(const GroupShape& group, Bytes bytes, Seconds latency,
                   BytesPerSecond bandwidth) {
  return latency * (group.size() - 1) + bytes / bandwidth;
}

}  // namespace

std::vector<int> ring_order(const GroupShape& group, int channel) {
  std::vector<int> order;
  order.reserve(group.domain.size());
  if (group.channels == 0) {
    for (int member = 0; member < group.size(); ++member) order.push_back(member);
    return order;
  }
  for (const std::vector<int>& members : servers_of(group)) {
    const std::vector<int> of_server = path_through(members, channel, group.mesh);
    order.insert(order.end(), of_server.begin(), of_server.end());
  }
  return order;
}

const CollectiveAlgorithm kRingAllReduce = {
    "ring",
    CollectiveOp::kAllReduce,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      return around(group, 2, largest(buffers.bytes) / group.size());
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      const int n = group.size();
      return around_time(2 * (n - 1), bytes / n, latency, bandwidth);
    }};

const CollectiveAlgorithm kRingReduceScatter = {
    "ring",
    CollectiveOp::kReduceScatter,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      return around(group, 1, largest(buffers.bytes) / group.size());
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      const int n = group.size();
      return around_time(n - 1, bytes / n, latency, bandwidth);
    }};

const CollectiveAlgorithm kRingAllGather = {
    "ring",
    CollectiveOp::kAllGather,
    true,
    serves_all,
    [](const GroupShape& group, const Buffers& buffers) {
      return around(group, 1, largest(buffers.bytes));
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return around_time(group.size() - 1, bytes, latency, bandwidth);
    }};

const CollectiveAlgorithm kRingBroadcast = {"ring",
                                            CollectiveOp::kBroadcast,
                                            false,
                                            serves_all,
                                            [](const GroupShape& group, const Buffers& buffers) {
                                              return along(group, largest(buffers.bytes), true);
                                            },
                                            along_time};

const CollectiveAlgorithm kRingReduce = {"ring",
                                         CollectiveOp::kReduce,
                                         false,
                                         serves_all,
                                         [](const GroupShape& group, const Buffers& buffers) {
                                           return along(group, largest(buffers.bytes), false);
                                         },
                                         along_time};

}  // namespace rehearse
