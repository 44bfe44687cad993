#include "program/collectives/direct.hpp"

#include <algorithm>

namespace rehearse {
namespace {

Rounds rounds(int member, std::span<const Bytes> bytes) {
  const int n = static_cast<int>(bytes.size());
  std::vector<MemberMessage> messages;
  for (int step = 1; step < n; ++step) messages.push_back({(member + step) % n, bytes[member] / n});
  return {messages};
}

// Members may hold different amounts; the streams of a smaller buffer count as the fraction they
// carry, so that every link carries its exact bytes and the fullest one decides the time.
Traffic traffic(std::span<const Bytes> bytes) {
  const int n = static_cast<int>(bytes.size());
  const Bytes largest = *std::max_element(bytes.begin(), bytes.end());
  Traffic result{1, largest / n, {}};
  for (int from = 0; from < n; ++from) {
    const double streams = largest.value > 0 ? bytes[from] / largest : 1;
    if (streams == 0) continue;
    for (int step = 1; step < n; ++step) result.edges.push_back({from, (from + step) % n, streams});
  }
  return result;
}

}  // namespace

const CollectiveAlgorithm kDirectAllToAll = {
    "direct",
    CollectiveOp::kAllToAll,
    rounds,
    traffic,
    [](int n, Bytes bytes, Seconds latency, BytesPerSecond bandwidth) {
      return latency + bytes * (1.0 * (n - 1) / n) / bandwidth;
    },
    [](int n) { return 1.0 * (n - 1) / n; }};

}  // namespace rehearse
