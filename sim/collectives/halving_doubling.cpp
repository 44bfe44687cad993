// Recursive halving and doubling (Thakur, Rabenseifner and Gropp 2005, "Optimization of collective
// communication operations in MPICH", section 4): partners at distance n/2, n/4, ... 1 exchange
// half of what is left (reduce_scatter), partners at distance 1, 2, ... n/2 exchange what they have
// (all_gather); all_reduce is both (Rabenseifner).
//   time = log2(n) latencies each way + (n-1)/n x bytes / bandwidth each way. For powers of two.
#include <fmt/format.h>

#include "collectives/algorithms.hpp"
#include "collectives/steps.hpp"

namespace rehearse {
namespace {

std::string power_of_two(const GroupShape& group) {
  const int n = group.size();
  if ((n & (n - 1)) == 0) return {};
  return fmt::format("needs 2, 4, 8, ... members, the group has {}", n);
}

Step exchange(int members, int distance, Bytes bytes) {
  Step step;
  for (int member = 0; member < members; ++member) {
    step.messages.push_back({member, member ^ distance, bytes});
  }
  return step;
}

void add_halving(Schedule& schedule, int members, Bytes bytes) {
  for (int distance = members / 2; distance > 0; distance /= 2) {
    schedule.push_back(exchange(members, distance, bytes * distance / members));
  }
}

void add_doubling(Schedule& schedule, int members, Bytes shard) {
  for (int distance = 1; distance < members; distance *= 2) {
    schedule.push_back(exchange(members, distance, shard * distance));
  }
}

Seconds one_way(int members, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
  return latency * doubling_rounds(members) + bytes * (members - 1) / members / bandwidth;
}

}  // namespace

const CollectiveAlgorithm kHalvingDoublingAllReduce = {
    "halving_doubling",
    CollectiveOp::kAllReduce,
    true,
    power_of_two,
    [](const GroupShape& group, const Buffers& buffers) {
      Schedule schedule;
      add_halving(schedule, group.size(), largest(buffers.bytes));
      add_doubling(schedule, group.size(), largest(buffers.bytes) / group.size());
      return schedule;
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return one_way(group.size(), bytes, latency, bandwidth) * 2;
    }};

const CollectiveAlgorithm kHalvingReduceScatter = {
    "recursive_halving",
    CollectiveOp::kReduceScatter,
    true,
    power_of_two,
    [](const GroupShape& group, const Buffers& buffers) {
      Schedule schedule;
      add_halving(schedule, group.size(), largest(buffers.bytes));
      return schedule;
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return one_way(group.size(), bytes, latency, bandwidth);
    }};

const CollectiveAlgorithm kDoublingAllGather = {
    "recursive_doubling",
    CollectiveOp::kAllGather,
    true,
    power_of_two,
    [](const GroupShape& group, const Buffers& buffers) {
      Schedule schedule;
      add_doubling(schedule, group.size(), largest(buffers.bytes));
      return schedule;
    },
    [](const GroupShape& group, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return one_way(group.size(), bytes * group.size(), latency, bandwidth);
    }};

}  // namespace rehearse
