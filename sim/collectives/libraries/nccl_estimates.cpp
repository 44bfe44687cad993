#include "collectives/libraries/nccl_estimates.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <string>

#include "base/error.hpp"

namespace rehearse {
namespace {

// The table of an operation; kOps.size(): it has none.
std::size_t slot_of(CollectiveOp op) {
  const auto& ops = NcclEstimates::kOps;
  return static_cast<std::size_t>(std::find(ops.begin(), ops.end(), op) - ops.begin());
}

}  // namespace

const char* to_text(NcclAlgorithm algorithm) {
  constexpr const char* kNames[] = {"tree", "ring", "nvls", "nvls_tree", "pat"};
  return kNames[static_cast<int>(algorithm)];
}

const char* to_text(NcclProtocol protocol) {
  constexpr const char* kNames[] = {"ll", "ll128", "simple"};
  return kNames[static_cast<int>(protocol)];
}

NcclCandidate NcclEstimate::at(Bytes bytes) const {
  double rate = bandwidth * 1e9;
  double seconds = latency * 1e-6;
  if (!correction.empty()) {
    const int last = static_cast<int>(correction.size()) - 1;
    const int power = nccl_log2(static_cast<std::int64_t>(bytes.value) >> 6);
    if (clamps || (power >= 0 && power <= last)) rate *= correction[std::clamp(power, 0, last)];
  }
  if (late_factor != 1 && bytes.value >= late_from) seconds *= late_factor;
  int used = channels;
  if (bytes_per_channel * channels > bytes.value) {
    used = std::max(1, static_cast<int>(bytes.value / bytes_per_channel));
  }
  return {.algorithm = algorithm,
          .protocol = protocol,
          .channels = used,
          .bandwidth = {rate},
          .latency = {seconds},
          .time = {seconds + bytes.value / rate}};
}

bool NcclEstimates::chooses(CollectiveOp op) { return slot_of(op) < kOps.size(); }

void NcclEstimates::add(CollectiveOp op, const NcclEstimate& estimate) {
  Table& table = tables_[slot_of(op)];
  SIM_CHECK(table.size < table.estimates.size(), "more candidates than there is room for");
  table.estimates[table.size++] = estimate;
}

std::span<const NcclEstimate> NcclEstimates::estimates(CollectiveOp op) const {
  SIM_CHECK(chooses(op), std::string("there are no algorithms of ") + to_text(op));
  const Table& table = tables_[slot_of(op)];
  return {table.estimates.data(), table.size};
}

NcclCandidates NcclEstimates::candidates(CollectiveOp op, Bytes bytes) const {
  NcclCandidates found;
  for (const NcclEstimate& estimate : estimates(op)) found.add(estimate.at(bytes));
  return found;
}

NcclCandidate NcclEstimates::choose(CollectiveOp op, Bytes bytes) const {
  NcclCandidate least;
  least.time = {std::numeric_limits<double>::infinity()};
  for (const NcclEstimate& estimate : estimates(op)) {
    const NcclCandidate next = estimate.at(bytes);
    if (next.time < least.time) least = next;
  }
  return least;
}

int nccl_ring_steps(CollectiveOp op, int ranks) {
  if (op == CollectiveOp::kAllReduce) return 2 * (ranks - 1);
  const bool gathers = op == CollectiveOp::kAllGather || op == CollectiveOp::kReduceScatter;
  return gathers ? ranks - 1 : ranks;
}

double nccl_post(NcclHostCpu cpu, NcclProtocol protocol) {
  return (cpu == NcclHostCpu::kAmd ? 2 : 1) * (protocol == NcclProtocol::kSimple ? 3 : 1);
}

int nccl_log2(std::int64_t n) {
  return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n))) - 1;
}

}  // namespace rehearse
