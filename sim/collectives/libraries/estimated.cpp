// The library's names of algorithms become ours, each with the costs that were measured of it. In a
// mesh RCCL builds so many rings that every wire is used: that is what two_shot and direct do, and
// they stand for its rings there.
//
// Left out: NVLS of all_gather and reduce_scatter (as fast as the ring: nccl issue 1083), channels
// that are left out for small sizes, registered buffers, symmetric memory, copy engines.
#include "collectives/libraries/estimated.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "collectives/libraries/measured_costs.hpp"

namespace rehearse {
namespace {

struct Name {
  CollectiveOp op;
  NcclAlgorithm algorithm;
  std::string_view name;
  std::string_view in_mesh;  // inside one; empty: as elsewhere
};

constexpr Name kNames[] = {
    {CollectiveOp::kAllReduce, NcclAlgorithm::kRing, "ring", "two_shot"},
    {CollectiveOp::kAllReduce, NcclAlgorithm::kTree, "double_tree", {}},
    {CollectiveOp::kAllReduce, NcclAlgorithm::kNvls, "in_switch", {}},
    {CollectiveOp::kAllReduce, NcclAlgorithm::kNvlsTree, "in_switch_tree", {}},
    {CollectiveOp::kAllGather, NcclAlgorithm::kRing, "ring", "direct"},
    {CollectiveOp::kAllGather, NcclAlgorithm::kPat, "recursive_doubling", {}},
    {CollectiveOp::kReduceScatter, NcclAlgorithm::kRing, "ring", "direct"},
    {CollectiveOp::kReduceScatter, NcclAlgorithm::kPat, "recursive_halving", {}},
    {CollectiveOp::kBroadcast, NcclAlgorithm::kRing, "ring", {}},
    {CollectiveOp::kReduce, NcclAlgorithm::kRing, "ring", {}},
};

// As measured costs call them.
constexpr std::string_view kOfAlgorithm[] = {"tree", "ring", "in_switch", "in_switch_tree", "pat"};
std::string_view measured_as(NcclAlgorithm algorithm) {
  return kOfAlgorithm[static_cast<int>(algorithm)];
}

constexpr std::string_view kGrouped = "all_to_all";

// A size for which no channel is left out.
constexpr Bytes kAllChannels{1e12};

}  // namespace

EstimatedCommunicator::EstimatedCommunicator(const GroupMachine& machine, std::string_view library,
                                             MakeEstimates make)
    : machine_(machine), library_(library), make_(make) {}

const NcclEstimates* EstimatedCommunicator::estimates() const {
  if (!made_) estimates_ = make_(machine_);
  made_ = true;
  return estimates_.get();
}

const CollectiveAlgorithm* EstimatedCommunicator::algorithm_of(CollectiveOp op,
                                                               NcclAlgorithm algorithm) const {
  for (const Name& name : kNames) {
    if (name.op != op || name.algorithm != algorithm) continue;
    // Inside a server a tree is a chain: nothing that a ring does not do better. Trees between
    // domains of different sizes are not built here.
    const bool uneven = machine_.smallest_server != machine_.largest_server;
    if ((machine_.bridged || uneven) && algorithm != NcclAlgorithm::kRing) return nullptr;
    const bool one_mesh = machine_.shape.mesh && machine_.servers == 1 && !name.in_mesh.empty();
    const CollectiveAlgorithm* const found =
        algorithm_named(op, one_mesh ? name.in_mesh : name.name);
    return found->refusal(machine_.shape).empty() ? found : nullptr;
  }
  return nullptr;
}

std::vector<CollectiveWay> EstimatedCommunicator::ways(CollectiveOp op) const {
  std::vector<CollectiveWay> all;
  if (!NcclEstimates::chooses(op)) {
    const CollectiveAlgorithm* const grouped =
        algorithm_named(op, op == CollectiveOp::kBarrier ? "dissemination" : "direct");
    for (const NcclProtocol protocol : {NcclProtocol::kLl, NcclProtocol::kSimple}) {
      all.push_back(way(*grouped, kGrouped, protocol));
    }
    return all;
  }
  if (estimates() == nullptr) {
    all.push_back(way(*algorithm_of(op, NcclAlgorithm::kRing), "ring", NcclProtocol::kSimple));
    return all;
  }
  const NcclCandidates candidates = estimates()->candidates(op, Bytes{1});
  for (const NcclCandidate& candidate : candidates.all()) {
    const CollectiveAlgorithm* const algorithm = algorithm_of(op, candidate.algorithm);
    if (algorithm == nullptr) continue;
    all.push_back(way(*algorithm, measured_as(candidate.algorithm), candidate.protocol));
  }
  return all;
}

std::optional<std::size_t> EstimatedCommunicator::choose(CollectiveOp op,
                                                         std::span<const CollectiveWay> ways,
                                                         Bytes bytes,
                                                         const FanOut& /*fan_out*/) const {
  if (!NcclEstimates::chooses(op)) return std::nullopt;
  if (estimates() == nullptr) return std::nullopt;
  std::optional<std::size_t> best;
  Seconds least;
  const NcclCandidates candidates = estimates()->candidates(op, counted(op, bytes));
  for (const NcclCandidate& candidate : candidates.all()) {
    const CollectiveAlgorithm* const algorithm = algorithm_of(op, candidate.algorithm);
    const auto at = std::find_if(ways.begin(), ways.end(), [&](const CollectiveWay& way) {
      return way.algorithm == algorithm && way.protocol == to_text(candidate.protocol);
    });
    if (at == ways.end() || (best && candidate.time >= least)) continue;
    best = static_cast<std::size_t>(at - ways.begin());
    least = candidate.time;
  }
  return best;
}

ProtocolCosts EstimatedCommunicator::message() const {
  return costs_on_fabric(*machine_.device, library_ + ".message");
}

// Grouped send and receive spreads its peers over the communicator's channels, rounded up to a
// power of two (ncclTopoComputeP2pChannels, paths.cc of NCCL 2.30.7), whatever their size.
int EstimatedCommunicator::held_units(CollectiveOp op, const CollectiveWay& way,
                                      Bytes bytes) const {
  if (estimates() == nullptr) return 0;
  if (!NcclEstimates::chooses(op)) {
    unsigned channels = 0;
    const NcclCandidates all = estimates()->candidates(CollectiveOp::kAllReduce, kAllChannels);
    for (const NcclCandidate& candidate : all.all()) {
      if (candidate.algorithm == NcclAlgorithm::kRing) channels = candidate.channels;
    }
    return static_cast<int>(std::bit_ceil(channels));
  }
  const NcclCandidates candidates = estimates()->candidates(op, counted(op, bytes));
  int most = 0;
  for (const NcclCandidate& candidate : candidates.all()) {
    if (way.protocol != to_text(candidate.protocol)) continue;
    if (way.algorithm == algorithm_of(op, candidate.algorithm)) return candidate.channels;
    most = std::max(most, candidate.channels);
  }
  return most;  // an algorithm that it lacks and a plan names
}

CollectiveWay EstimatedCommunicator::way(const CollectiveAlgorithm& algorithm, std::string_view of,
                                         NcclProtocol protocol) const {
  const bool one_ring = machine_.servers == 1 || machine_.bridged;
  const bool wires = machine_.shape.mesh && machine_.servers == 1 && of != kGrouped;
  std::string row = library_ + "." + std::string(wires ? "mesh" : of) + "." +
                    (wires && protocol == NcclProtocol::kLl128 ? "simple" : to_text(protocol));
  const ProtocolCosts measured = costs_on_fabric(*machine_.device, row);
  return {&algorithm, to_text(protocol), measured, one_ring ? 1 : machine_.smallest_server,
          std::move(row)};
}

}  // namespace rehearse
