#include "program/collectives/ring.hpp"

#include <algorithm>

namespace rehearse {
namespace {

Bytes largest(std::span<const Bytes> bytes) {
  return *std::max_element(bytes.begin(), bytes.end());
}

// `count` rounds in each of which every member passes `chunk` to its right neighbour.
Rounds rounds_of(int member, int members, int count, Bytes chunk) {
  return Rounds(count, {{(member + 1) % members, chunk}});
}

Traffic traffic_of(int members, int count, Bytes chunk) {
  Traffic traffic{count, chunk * count, {}};
  for (int member = 0; member < members; ++member) {
    traffic.edges.push_back({member, (member + 1) % members, 1});
  }
  return traffic;
}

Seconds time_of(int count, Bytes chunk, Seconds latency, BytesPerSecond bandwidth) {
  return (latency + chunk / bandwidth) * count;
}

int size_of(std::span<const Bytes> bytes) { return static_cast<int>(bytes.size()); }

}  // namespace

const CollectiveAlgorithm kRingAllReduce = {
    "ring",
    CollectiveOp::kAllReduce,
    [](int member, std::span<const Bytes> bytes) {
      const int n = size_of(bytes);
      return rounds_of(member, n, 2 * (n - 1), largest(bytes) / n);
    },
    [](std::span<const Bytes> bytes) {
      const int n = size_of(bytes);
      return traffic_of(n, 2 * (n - 1), largest(bytes) / n);
    },
    [](int n, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return time_of(2 * (n - 1), bytes / n, latency, bandwidth);
    },
    [](int n) { return 2.0 * (n - 1) / n; }};

const CollectiveAlgorithm kRingReduceScatter = {
    "ring",
    CollectiveOp::kReduceScatter,
    [](int member, std::span<const Bytes> bytes) {
      const int n = size_of(bytes);
      return rounds_of(member, n, n - 1, largest(bytes) / n);
    },
    [](std::span<const Bytes> bytes) {
      const int n = size_of(bytes);
      return traffic_of(n, n - 1, largest(bytes) / n);
    },
    [](int n, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return time_of(n - 1, bytes / n, latency, bandwidth);
    },
    [](int n) { return 1.0 * (n - 1) / n; }};

const CollectiveAlgorithm kRingAllGather = {
    "ring",
    CollectiveOp::kAllGather,
    [](int member, std::span<const Bytes> bytes) {
      const int n = size_of(bytes);
      return rounds_of(member, n, n - 1, largest(bytes));
    },
    [](std::span<const Bytes> bytes) {
      const int n = size_of(bytes);
      return traffic_of(n, n - 1, largest(bytes));
    },
    [](int n, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return time_of(n - 1, bytes, latency, bandwidth);
    },
    [](int n) { return 1.0 * (n - 1); }};

}  // namespace rehearse
