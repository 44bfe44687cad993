// NCCL searches the machine's graph for channels, speed by speed along a fixed list, and keeps the
// largest channels x speed. On an even machine what it finds is a count, so this counts instead of
// searching: how many rings of one speed fit through a GPU's links, through the NICs and through
// the PCIe in front of them. Held to graphs that NCCL printed (tests/collectives).
// Lines are those of NCCL 2.30.7's src/graph/search.cc unless another file is named.
#include "collectives/libraries/nccl_topology.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.hpp"

namespace rehearse {
namespace {

constexpr double kGiga = 1e9;
constexpr int kMaxSearched = 32;  // MAXCHANNELS / 2, init.cc:1177; also NCCL_MAX_NVLS_ARITY
constexpr int kMaxChannels = 64;  // MAXCHANNELS, device.h:91

// 1051-1066. In a server, and across servers.
constexpr double kSm70Intra[] = {40, 30, 20, 18, 15, 12, 10, 9, 7, 6, 5, 4, 3};
constexpr double kSm70Inter[] = {48, 30, 28, 24, 20, 18,  15,  12,   10,  9,
                                 7,  6,  5,  4,  3,  2.4, 1.2, 0.24, 0.12};
constexpr double kSm90Intra[] = {60, 50, 40, 30, 24, 20, 15, 12, 11, 6, 3};
constexpr double kSm90Inter[] = {48, 45, 42, 40, 30,  24,  22,   20,  17.5,
                                 15, 12, 6,  3,  2.4, 1.2, 0.24, 0.12};
constexpr double kSm100Intra[] = {90, 80, 70, 60, 50, 45, 40, 30, 24, 20, 19, 18};
constexpr double kSm100Inter[] = {96, 86,   80, 48, 45.1, 42, 40,  30,  24,   22,
                                  20, 17.5, 15, 12, 6,    3,  2.4, 1.2, 0.24, 0.12};

std::span<const double> speeds_of(NcclGeneration generation, bool across) {
  using Speeds = std::span<const double>;
  if (generation == NcclGeneration::kBlackwell) {
    return across ? Speeds(kSm100Inter) : Speeds(kSm100Intra);
  }
  if (generation == NcclGeneration::kHopper) {
    return across ? Speeds(kSm90Inter) : Speeds(kSm90Intra);
  }
  return across ? Speeds(kSm70Inter) : Speeds(kSm70Intra);
}

// How many of `part` fit into `whole`; NCCL rounds bandwidths to 1 MB/s as it subtracts (88).
int fits(double whole, double part) { return static_cast<int>(std::floor((whole + 1e-3) / part)); }

// What limits the channels of a server, GB/s.
struct Limits {
  std::span<const double> speeds;
  bool across = false;
  bool hopper = false;  // or newer
  int gpus = 0;
  int nics = 0;
  double total = 0;  // of a GPU's links, as the search compares with it
  double hop = 0;    // of a GPU's links, as channels use them up
  double nic = 0;
  double pcie = 0;

  double fastest() const { return across ? std::min(nic, pcie) : total; }

  // Rings or chains of this speed that enter and leave by a NIC. Every NIC carries whole ones, and
  // so does the PCIe of the GPU beside it.
  int through_nics(double speed) const {
    if (!across) return kMaxSearched;
    return std::min({kMaxSearched, nics * fits(fastest(), speed), gpus * fits(pcie, speed)});
  }

  // Chains through all GPUs. Nobody sends on in the chain that he ends, so each of the g GPUs has
  // to end channels - fit of them: channels <= g fit / (g - 1). A ring across servers that leaves
  // by another NIC than it came (NCCL_CROSS_NIC 2, the default: 1236) is such a chain, too.
  int chains(double speed) const {
    if (gpus == 1) return kMaxSearched;
    return std::min(kMaxSearched, gpus * fits(hop, speed) / (gpus - 1));
  }

  int rings(double speed) const {
    if (!across) return std::min(kMaxSearched, fits(hop, speed));
    const int by_links = nics > 1 || gpus == 1 ? chains(speed) : fits(hop, speed);
    return std::min(through_nics(speed), by_links);
  }

  // A chain does not close, so NCCL lets it start from faster speeds (1167).
  double total_of_chain() const { return gpus > 1 ? total * gpus / (gpus - 1) : total; }

  bool tree_fits(int channels, double speed) const {
    return channels <= chains(speed) && channels <= through_nics(speed);
  }
};

Limits limits_of(const NcclMachine& machine) {
  Limits limits;
  limits.across = machine.servers > 1;
  limits.hopper = machine.generation >= NcclGeneration::kHopper;
  limits.speeds = speeds_of(machine.generation, limits.across);
  limits.gpus = machine.ranks_per_server;
  constexpr double kNewest[] = {12, 24, 48, 96};  // gen3 x16 with Volta, and so on
  limits.pcie =
      machine.pcie ? nccl_pcie(*machine.pcie) : kNewest[static_cast<int>(machine.generation)];
  if (machine.nvlink) {
    limits.total = limits.hop = nccl_nvlink(machine.generation, *machine.nvlink);
  } else {
    limits.total = limits.pcie;
    // Data between GPUs through an Intel CPU goes in packets that take 6/5 of the bus (topo.h:39).
    limits.hop = machine.cpu == NcclHostCpu::kIntel ? limits.pcie * 5 / 6 : limits.pcie;
  }
  if (limits.across) {
    SIM_CHECK(machine.nic_count > 0 && machine.nics.value > 0, "servers without NICs");
    limits.nics = machine.nic_count;
    limits.nic = machine.nics.value / kGiga / machine.nic_count;
  }
  return limits;
}

// The first speed of the list that is at most `speed`, or the last.
std::size_t index_of(std::span<const double> speeds, double speed) {
  std::size_t at = 0;
  while (at + 1 < speeds.size() && speeds[at] > speed) ++at;
  return at;
}

// "Falling back to simple order": 1 channel of 0.1 GB/s (1288-1312).
constexpr NcclGraph kSimpleOrder{.channels = 1, .intra = 0.1, .inter = 0.1};

// Fast channels become twice as many of half the speed (1036-1049).
NcclGraph doubled(NcclGraph graph, bool hopper) {
  if (graph.intra < 25 || (hopper && graph.intra < 50 && graph.channels > 4)) return graph;
  const int channels = std::min(2 * graph.channels, kMaxSearched);
  const int parts = (channels + graph.channels - 1) / graph.channels;
  return {channels, graph.intra / parts, graph.inter / parts};
}

// The first pass (1172-1250): from fast to slow, until the GPU's links are full or the next speed
// is less than half of the best one. The second, which tries to go faster with as many channels,
// can find nothing that the first one did not.
NcclGraph ring_graph(const Limits& limits) {
  NcclGraph best;
  const auto& speeds = limits.speeds;
  for (std::size_t at = index_of(speeds, std::min(limits.fastest(), limits.total));
       at < speeds.size(); ++at) {
    if (best.channels > 0 && speeds[at] / best.inter <= 0.49) break;
    const int channels = limits.rings(speeds[at]);
    if (channels * speeds[at] > best.channels * best.intra) {
      best = {channels, speeds[at], speeds[at]};
    }
    if (best.channels == kMaxSearched || best.channels * best.inter >= limits.total) break;
  }
  return best.channels > 0 ? doubled(best, limits.hopper) : kSimpleOrder;
}

// As many channels as the ring's (init.cc:1184-1185). Across servers the speed between the GPUs is
// then raised alone, to at most the step above twice the NICs' (1276-1280): a tree of two servers
// sends each byte once through the NICs, but in both halves of a server. In one server the ring's
// speed: a chain could be faster for 2 and 3 GPUs, where no tree is ever taken.
NcclGraph tree_graph(const Limits& limits, const NcclGraph& ring) {
  if (!limits.across) return ring;
  const auto& speeds = limits.speeds;
  std::size_t at =
      index_of(speeds, std::min(limits.fastest(), limits.total_of_chain() / ring.channels));
  while (at < speeds.size() && !limits.tree_fits(ring.channels, speeds[at])) ++at;
  if (at == speeds.size()) return kSimpleOrder;
  NcclGraph tree{ring.channels, speeds[at], speeds[at]};
  for (; at > 0 && tree.intra < 2 * tree.inter; --at) {
    if (tree.channels > limits.chains(speeds[at - 1])) break;
    tree.intra = speeds[at - 1];
  }
  return tree;
}

// A channel is a head: a GPU that pulls the others' data from the switch, so that `heads` of them
// fill a head's link with heads + 1 parts (410-443). In one server every GPU has to be one.
int nvls_heads(const Limits& limits, double speed, int most) {
  const int heads = std::min(most, fits(limits.hop, speed) - 1);
  return limits.across || heads == most ? heads : 0;
}

// More heads win over faster ones (452-457). Then the speed that stands for the NICs is raised as
// far as they go, in one server freely (1270-1275).
NcclGraph nvls_graph(const Limits& limits) {
  const int most = std::min(limits.gpus, kMaxSearched);
  const int heads = limits.across ? std::min(most, limits.nics) : most;
  const auto& speeds = limits.speeds;
  const double share = limits.across ? limits.total : limits.total_of_chain() / heads;
  std::size_t taken = 0;
  NcclGraph best;
  for (std::size_t at = index_of(speeds, std::min(limits.fastest(), share)); at < speeds.size();
       ++at) {
    if (best.channels > 0 && speeds[at] / best.inter <= 0.49) break;
    const int channels = nvls_heads(limits, speeds[at], heads);
    if (channels > best.channels || channels * speeds[at] > best.channels * best.inter) {
      best = {channels, speeds[at], speeds[at]};
      taken = at;
    }
    if (best.channels == most || best.channels * best.inter >= limits.total) break;
  }
  if (best.channels == 0) return {};
  for (std::size_t at = taken; at > 0 && best.inter < 2 * best.intra; --at) {
    if (limits.across && speeds[at - 1] > limits.fastest()) break;
    best.inter = speeds[at - 1];
  }
  return best;
}

// transport/nvls.cc:164-218.
int nvls_channels_of(const NcclMachine& machine, const Limits& limits) {
  if (machine.generation != NcclGeneration::kBlackwell) return 16;
  if (machine.servers == 1) return 24;
  const double nic = limits.fastest();
  if (machine.servers == 2 && nic >= 48) return 32;
  if (nic >= 96) return machine.ranks_per_server <= 8 ? 24 : 32;
  return nic >= 48 ? 24 : 32;
}

// Rings are duplicated once more when they are connected, on Hopper fast ones of few GPUs twice
// (connect.cc:460, 480-483).
int channels_of(const NcclGraphs& graphs, const Limits& limits) {
  const int channels = std::min(kMaxChannels, 2 * graphs.ring.channels);
  const bool again = limits.hopper && limits.across && graphs.ring.intra > 45 && channels < 16;
  return again ? 2 * channels : channels;
}

}  // namespace

double nccl_nvlink(NcclGeneration generation, BytesPerSecond rate) {
  const bool blackwell = generation == NcclGeneration::kBlackwell;
  const double links = std::max(1.0, std::round(rate.value / kGiga / (blackwell ? 50 : 25)));
  if (blackwell) return links * 40.1;
  return links * (generation == NcclGeneration::kHopper ? 20.6 : 20);
}

double nccl_pcie(BytesPerSecond rate) {
  return 12 * std::exp2(std::round(std::log2(rate.value / kGiga / 16)));
}

NcclGraphs nccl_graphs(const NcclMachine& machine) {
  SIM_CHECK(machine.ranks >= 2 && machine.servers >= 1 && machine.ranks_per_server >= 1,
            "a communicator has two ranks or more");
  const Limits limits = limits_of(machine);
  NcclGraphs graphs;
  graphs.ring = ring_graph(limits);
  graphs.tree = tree_graph(limits, graphs.ring);
  graphs.ring.channels = graphs.tree.channels =
      std::min(graphs.ring.channels, graphs.tree.channels);  // init.cc:1459
  // Balanced, a tree's second GPU has to be as near to the NIC as the first. Hopper tries the
  // one-GPU tree before it takes a longer way (1213-1218), so with a NIC of its own per GPU that is
  // it.
  const bool nic_per_gpu = 2 * machine.nic_count > machine.ranks_per_server;
  graphs.one_gpu_tree = limits.across && (limits.gpus == 1 ||
                                          (limits.hopper && machine.nic_at_switch && nic_per_gpu));
  graphs.same_channels = !limits.across || limits.nics == 1 || limits.gpus == 1;
  graphs.channels = channels_of(graphs, limits);
  if (limits.hopper && machine.multicast && machine.nvlink && limits.gpus > 1) {
    graphs.nvls = nvls_graph(limits);
    graphs.nvls_channels = graphs.nvls.channels > 0 ? nvls_channels_of(machine, limits) : 0;
  }
  return graphs;
}

}  // namespace rehearse
