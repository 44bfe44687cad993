// Bandwidth of an algorithm: the channels' speeds in sum, less what each protocol costs, times the
// share that the buffer is of what a link carries. Latency: a base, plus its steps over NVLink (or
// PCIe) and over the network. Both are made once per communicator; a choice adds the size.
// Lines are those of NCCL 2.30.7's src/graph/tuning.cc unless another file is named.
#include "collectives/libraries/nccl_tuning.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "base/error.hpp"

namespace rehearse {
namespace {

constexpr int kProtocols = 3;
using ByProtocol = std::array<double, kProtocols>;  // LL, LL128, Simple

// 149-175, us: the base, a step over NVLink, over PCIe, over the network.
struct Latencies {
  ByProtocol base, nvlink, pcie, net;
};
constexpr Latencies kLatencies[] = {
    {{6.8, 14, 8.4}, {0.6, 1.25, 4.0}, {1.0, 1.9, 4.0}, {5.0, 8.5, 14}},  // tree
    {{6.6, 14, 8.4}, {0.6, 1.9, 3.4}, {1.0, 2.5, 5.7}, {2.7, 4.0, 14}},   // ring
    {{0, 0, 0}, {0, 0, 25}, {0, 0, 0}, {0, 0, 18}},                       // NVLS
    {{0, 0, 0}, {0, 0, 25}, {0, 0, 0}, {0, 0, 20.9}},                     // NVLSTree
    {{8, 8, 8}, {0, 0, 4.0}, {0, 0, 4.0}, {0, 0, 14}},                    // PAT
};

// By generation, then 1, 2, more servers; GB/s.
using Maxima = std::array<double, 3>;
constexpr Maxima kLlMax[] = {
    {39, 39, 20.4}, {87.7, 22.5, 19}, {141, 45, 35}, {282, 90, 70}};  // 177
constexpr Maxima kRingLl128Max[] = {{20, 20, 20}, {20, 20, 20}, {36.7, 36.7, 36.7}, {40, 40, 40}};
constexpr Maxima kTreeLl128Max[] = {
    {20, 20, 20}, {20, 20, 20}, {36.7, 36.7, 29}, {55.6, 31.67, 20}};  // 191
constexpr Maxima kTreeMax[] = {
    {26.5, 18.5, 10}, {24, 23.6, 17.8}, {38.7, 41.4, 36}, {70, 42.8, 24}};  // 198
constexpr Maxima kNvlsTreeMax[] = {
    {26.5, 18.5, 10}, {24, 23.6, 17.8}, {0, 57.7, 45.5}, {0, 96, 80}};  // 205
constexpr double kNvlsEfficiency[] = {0, 0, 0.85, 0.74};                // 139

// 623-627: of the tree's bandwidth, by power of two from 64 B on.
constexpr int kPowers = 24;
constexpr std::array<double, kPowers> kTreeCorrection[kProtocols] = {
    {1, 1, 1, 1, .9, .8, .7, .7, .7, .7, .6, .5, .4, .4, .5, .6, .7, .8, .9, 1, 1, 1, 1, 1},
    {1, 1, 1, 1, 1, .9, .8, .8, .8, .7, .6, .6, .6, .6, .6, .6, .8, .9, .9, .9, .9, 1, 1, 1},
    {.9, .9, .9, .9, .9, .9, .9, .8, .7, .6, .6, .5,
     .5, .5, .5, .6, .7, .8, .7, .7, .8, .9, .9, .9}};

// Below threads x this, a channel is left out (device.h:95-114, comm.h:49-51).
constexpr ByProtocol kThreads = {512, 640, 512};
constexpr ByProtocol kBytesPerThread = {8, 8, 64};

bool is_nvls(NcclAlgorithm algorithm) {
  return algorithm == NcclAlgorithm::kNvls || algorithm == NcclAlgorithm::kNvlsTree;
}

bool gathers_or_scatters(CollectiveOp op) {
  return op == CollectiveOp::kAllGather || op == CollectiveOp::kReduceScatter;
}

// 293-304, 497-513, enqueue.cc:1998-2008.
bool exists(CollectiveOp op, NcclAlgorithm algorithm, const NcclMachine& machine,
            const NcclGraphs& graphs) {
  const bool all_reduce = op == CollectiveOp::kAllReduce;
  switch (algorithm) {
    case NcclAlgorithm::kRing:
      return true;
    case NcclAlgorithm::kTree:
      return all_reduce;
    case NcclAlgorithm::kNvls:
      return machine.servers == 1 && graphs.nvls.channels > 1 &&
             (all_reduce || (gathers_or_scatters(op) && machine.ranks_per_server <= 32));
    case NcclAlgorithm::kNvlsTree:
      return machine.servers > 1 && graphs.nvls.channels > 1 && all_reduce;
    case NcclAlgorithm::kPat:
      return machine.servers == machine.ranks && gathers_or_scatters(op);
  }
  SIM_CHECK(false, "an algorithm that NCCL has not");
}

// 518-536: LL128 needs NVLink between a server's GPUs and a NIC below their PCIe switch; GPUs of
// one architecture are supposed.
bool exists(NcclAlgorithm algorithm, NcclProtocol protocol, const NcclMachine& machine) {
  if (algorithm != NcclAlgorithm::kTree && algorithm != NcclAlgorithm::kRing) {
    return protocol == NcclProtocol::kSimple;
  }
  if (protocol != NcclProtocol::kLl128) return true;
  const bool inside = machine.nvlink || machine.ranks_per_server == 1;
  return inside && (machine.servers == 1 || machine.nic_at_switch);
}

// The model of one machine: what the tables say for it.
struct Model {
  const NcclMachine& machine;
  const NcclGraphs& graphs;

  int generation() const { return static_cast<int>(machine.generation); }
  double of_servers(const Maxima& maxima) const { return maxima[std::min(machine.servers, 3) - 1]; }
  double ranks_per_server() const { return static_cast<double>(machine.ranks) / machine.servers; }

  // By GPU in one server, by CPU across servers (268-271).
  double ll_max() const {
    if (machine.servers == 1) return of_servers(kLlMax[generation()]);
    return of_servers(kLlMax[machine.cpu == NcclHostCpu::kAmd ? 1 : 0]);
  }

  // Of the links in sum: 305-336.
  double bus_bandwidth(CollectiveOp op, NcclAlgorithm algorithm, NcclProtocol protocol) const;
  double nvls_bandwidth(CollectiveOp op, NcclAlgorithm algorithm) const;
  double ring_bandwidth(NcclProtocol protocol) const;
  double tree_bandwidth(NcclProtocol protocol) const;
  double speed(const NcclGraph& graph) const {
    return graph.channels * (machine.servers <= 2 ? graph.intra : graph.inter);
  }

  double latency(CollectiveOp op, NcclAlgorithm algorithm, NcclProtocol protocol) const;
  double ring_latency(CollectiveOp op, NcclProtocol protocol, double hop, double net) const;
};

double Model::nvls_bandwidth(CollectiveOp op, NcclAlgorithm algorithm) const {
  const NcclGraph& nvls = graphs.nvls;
  const bool tree = algorithm == NcclAlgorithm::kNvlsTree;
  double intra = nvls.intra * kNvlsEfficiency[generation()] * (nvls.channels - 1) / nvls.channels;
  intra *= op == CollectiveOp::kAllReduce ? 2 : (ranks_per_server() - 1) / ranks_per_server();
  const double inter = nvls.inter * (tree && machine.servers <= 2 ? 2 : 1);
  const double most = tree ? of_servers(kNvlsTreeMax[generation()]) : intra;
  return nvls.channels * std::min({intra, inter, most});
}

double Model::ring_bandwidth(NcclProtocol protocol) const {
  const double bandwidth = speed(graphs.ring);
  if (protocol == NcclProtocol::kLl) return std::min(ll_max(), 0.5 * bandwidth);
  if (protocol == NcclProtocol::kSimple) return bandwidth;
  return std::min(0.92 * bandwidth, graphs.ring.channels * of_servers(kRingLl128Max[generation()]));
}

double Model::tree_bandwidth(NcclProtocol protocol) const {
  const int channels = graphs.tree.channels;
  double bandwidth =
      std::min(0.92 * speed(graphs.tree), channels * of_servers(kTreeMax[generation()]));
  if (protocol == NcclProtocol::kLl) bandwidth = std::min(bandwidth / 3.8, ll_max());
  if (protocol == NcclProtocol::kLl128) {
    const double data = machine.servers == 1 ? 7.0 / 9 : 120.0 / 128;
    bandwidth = std::min(bandwidth * data, channels * of_servers(kTreeLl128Max[generation()]));
  }
  return graphs.one_gpu_tree ? 0.85 * bandwidth : bandwidth;
}

double Model::bus_bandwidth(CollectiveOp op, NcclAlgorithm algorithm, NcclProtocol protocol) const {
  if (is_nvls(algorithm)) return nvls_bandwidth(op, algorithm);
  if (algorithm == NcclAlgorithm::kTree) return tree_bandwidth(protocol);
  if (algorithm == NcclAlgorithm::kRing) return ring_bandwidth(protocol);
  return 0.75 * speed(graphs.tree);  // PAT has the tree's graph (init.cc:980)
}

// 392-414. In a ring across servers every step costs at least a post to the network.
double Model::ring_latency(CollectiveOp op, NcclProtocol protocol, double hop, double net) const {
  const Latencies& ring = kLatencies[static_cast<int>(NcclAlgorithm::kRing)];
  const Latencies& tree = kLatencies[static_cast<int>(NcclAlgorithm::kTree)];
  const bool simple = protocol == NcclProtocol::kSimple;
  const int p = static_cast<int>(protocol);
  const int steps = nccl_ring_steps(op, machine.ranks);  // 289-291
  if (op == CollectiveOp::kBroadcast || op == CollectiveOp::kReduce) {
    if (graphs.same_channels) return machine.servers > 1 ? ring.net[p] : hop;
    return steps * (simple ? tree : ring).net[p];
  }
  if (machine.servers == 1) return steps * hop;
  const double post = nccl_post(machine.cpu, protocol);  // 228-233
  const int across = (op == CollectiveOp::kAllReduce ? 2 : 1) * (machine.servers - 1);
  return (steps - across) * std::max(hop, post) + across * net;
}

// 384-443.
double Model::latency(CollectiveOp op, NcclAlgorithm algorithm, NcclProtocol protocol) const {
  const int p = static_cast<int>(protocol);
  const Latencies& own = kLatencies[static_cast<int>(algorithm)];
  const Latencies& tree = kLatencies[static_cast<int>(NcclAlgorithm::kTree)];
  const double hop = (machine.nvlink && machine.ranks_per_server > 1 ? own.nvlink : own.pcie)[p];
  const double nic = machine.nic_latency.value * 1e6 * (protocol == NcclProtocol::kSimple ? 2 : 1);
  // With one rank per server the network's latency is fully exposed: the tree's.
  const double net = (machine.ranks == machine.servers ? tree : own).net[p] + nic;
  const int chain = machine.ranks / machine.servers - 1;  // whole ranks
  const int depth = nccl_log2(machine.servers);
  switch (algorithm) {
    case NcclAlgorithm::kRing:
      return own.base[p] + ring_latency(op, protocol, hop, net);
    case NcclAlgorithm::kTree:
      return own.base[p] + 2 * (chain * hop + depth * net);
    case NcclAlgorithm::kNvls:
      return hop;
    case NcclAlgorithm::kNvlsTree:
      return own.base[p] + hop + 2 * depth * net;
    case NcclAlgorithm::kPat:
      return own.base[p] + depth * net / 3.5 + machine.ranks * 2.8;
  }
  SIM_CHECK(false, "an algorithm that NCCL has not");
}

// From the links' sum to the buffer's rate (376-382).
double share_of_buffer(CollectiveOp op, NcclAlgorithm algorithm, int ranks) {
  if (algorithm == NcclAlgorithm::kTree) return 0.5;
  if (algorithm != NcclAlgorithm::kRing && gathers_or_scatters(op)) return 1;
  return static_cast<double>(ranks) / nccl_ring_steps(op, ranks);
}

constexpr NcclProtocol kProtocolsTried[] = {NcclProtocol::kLl, NcclProtocol::kLl128,
                                            NcclProtocol::kSimple};
constexpr NcclAlgorithm kAlgorithms[] = {NcclAlgorithm::kTree, NcclAlgorithm::kRing,
                                         NcclAlgorithm::kNvls, NcclAlgorithm::kNvlsTree,
                                         NcclAlgorithm::kPat};

NcclEstimate estimate_of(CollectiveOp op, NcclAlgorithm algorithm, NcclProtocol protocol,
                         const Model& model) {
  const NcclMachine& machine = model.machine;
  const NcclGraphs& graphs = model.graphs;
  const int p = static_cast<int>(protocol);
  const bool ring = algorithm == NcclAlgorithm::kRing;
  const bool simple = protocol == NcclProtocol::kSimple;
  NcclEstimate estimate{.algorithm = algorithm, .protocol = protocol};
  estimate.bandwidth =
      model.bus_bandwidth(op, algorithm, protocol) * share_of_buffer(op, algorithm, machine.ranks);
  estimate.latency = model.latency(op, algorithm, protocol);
  estimate.channels = is_nvls(algorithm) ? graphs.nvls_channels : graphs.channels;
  if (ring || algorithm == NcclAlgorithm::kTree) {  // enqueue.cc:2071-2106
    estimate.bytes_per_channel = kThreads[p] * kBytesPerThread[p];
    if (ring && protocol == NcclProtocol::kLl) estimate.bytes_per_channel *= machine.ranks;
    // As fast as PCIe gen3 at most: half the threads (244-247).
    const bool slow = graphs.ring.intra * graphs.ring.channels <= 12;
    if (ring && simple && slow) estimate.bytes_per_channel /= 2;
  }
  // "Plateau effect of ring" (648-650).
  if (ring && simple && op == CollectiveOp::kAllReduce && machine.servers > 1) {
    estimate.late_from = 64.0 * graphs.channels * machine.ranks;
    estimate.late_factor = machine.generation == NcclGeneration::kVolta ? 1.9 : 1.4;
  }
  // 640-646: the tree's last power is not corrected.
  const bool x86_blackwell =
      machine.generation == NcclGeneration::kBlackwell && machine.cpu != NcclHostCpu::kArm;
  if (algorithm == NcclAlgorithm::kTree) {
    estimate.correction = std::span(kTreeCorrection[p]).first<kPowers - 1>();
  } else if (algorithm == NcclAlgorithm::kNvlsTree && x86_blackwell) {
    estimate.correction = kTreeCorrection[p];
  }
  return estimate;
}

}  // namespace

NcclTuning::NcclTuning(const NcclMachine& machine) : graphs_(nccl_graphs(machine)) {
  const Model model{machine, graphs_};
  for (const CollectiveOp op : kOps) {
    for (const NcclAlgorithm algorithm : kAlgorithms) {
      if (!exists(op, algorithm, machine, graphs_)) continue;
      for (const NcclProtocol protocol : kProtocolsTried) {
        if (exists(algorithm, protocol, machine))
          add(op, estimate_of(op, algorithm, protocol, model));
      }
    }
  }
}

}  // namespace rehearse
