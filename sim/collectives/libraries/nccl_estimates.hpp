// The ways that NCCL and RCCL choose from, with their own estimates:
//   time = latency + bytes / bandwidth, the least wins.
// Where the latencies and bandwidths come from: nccl_tuning.hpp, rccl_tuning.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/units.hpp"
#include "collectives/operation.hpp"

namespace rehearse {

enum class NcclAlgorithm : std::uint8_t { kTree, kRing, kNvls, kNvlsTree, kPat };
enum class NcclProtocol : std::uint8_t { kLl, kLl128, kSimple };
const char* to_text(NcclAlgorithm algorithm);  // "tree", "ring", "nvls", "nvls_tree", "pat"
const char* to_text(NcclProtocol protocol);    // "ll", "ll128", "simple"

// A way to do an operation of a certain size.
struct NcclCandidate {
  NcclAlgorithm algorithm = NcclAlgorithm::kRing;
  NcclProtocol protocol = NcclProtocol::kSimple;
  int channels = 0;          // blocks of the kernel at this size
  BytesPerSecond bandwidth;  // of the buffer
  Seconds latency;
  Seconds time;
};

// In NCCL's order; of equal times the first wins.
class NcclCandidates {
 public:
  static constexpr int kMost = 8;  // tree and ring by three protocols, NVLS, NVLSTree

  void add(const NcclCandidate& candidate) { candidates_[size_++] = candidate; }
  // Of a variable: it ends with the object.
  std::span<const NcclCandidate> all() const& { return {candidates_.data(), size_}; }
  std::span<const NcclCandidate> all() const&& = delete;

 private:
  std::array<NcclCandidate, kMost> candidates_;
  std::size_t size_ = 0;
};

// What of a candidate does not depend on the size.
struct NcclEstimate {
  NcclAlgorithm algorithm = NcclAlgorithm::kRing;
  NcclProtocol protocol = NcclProtocol::kSimple;
  int channels = 0;
  double bytes_per_channel = 0;  // with less, a channel is left out
  double bandwidth = 0;          // GB/s
  double latency = 0;            // us
  double late_from = 0;          // bytes from which on the latency counts late_factor times
  double late_factor = 1;
  // Of the bandwidth, by power of two from 64 B on; empty: none. Sizes outside take the nearest
  // factor if it `clamps`, else none.
  std::span<const double> correction = {};
  bool clamps = false;

  NcclCandidate at(Bytes bytes) const;
};

// The tables of one communicator. They are filled once; a choice is a few divisions.
class NcclEstimates {
 public:
  virtual ~NcclEstimates() = default;
  // all_reduce, all_gather, reduce_scatter, broadcast, reduce; all else is grouped send and
  // receive.
  static constexpr std::array<CollectiveOp, 5> kOps = {
      CollectiveOp::kAllReduce, CollectiveOp::kAllGather, CollectiveOp::kReduceScatter,
      CollectiveOp::kBroadcast, CollectiveOp::kReduce};
  static bool chooses(CollectiveOp op);

  // `bytes`: the larger of a rank's send and receive buffer.
  NcclCandidates candidates(CollectiveOp op, Bytes bytes) const;
  NcclCandidate choose(CollectiveOp op, Bytes bytes) const;

 protected:
  void add(CollectiveOp op, const NcclEstimate& estimate);

 private:
  struct Table {
    std::array<NcclEstimate, NcclCandidates::kMost> estimates;
    std::size_t size = 0;
  };
  std::span<const NcclEstimate> estimates(CollectiveOp op) const;

  std::array<Table, kOps.size()> tables_;
};

// What both libraries count alike: tuning.cc of NCCL and RCCL.

// Steps of a ring of `ranks`.
int nccl_ring_steps(CollectiveOp op, int ranks);
// A post to the network, us: what a step of a ring across servers costs at least.
enum class NcclHostCpu { kIntel, kAmd, kArm };
double nccl_post(NcclHostCpu cpu, NcclProtocol protocol);
int nccl_log2(std::int64_t n);  // rounded down; -1 of 0

}  // namespace rehearse
