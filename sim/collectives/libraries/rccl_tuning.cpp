// Rings over different links fill all of a GPU's links to its group, 48 GB/s each (topo.h:33): so
// the links in sum times a share per protocol, and for trees and for rings across servers times a
// factor by size. Servers of 8 have written graphs and "tuning=5" (rome_models.cc:547-828), smaller
// groups the general model 0. Lines are those of RCCL 2.21.5's src/graph/tuning.cc.
#include "collectives/libraries/rccl_tuning.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace rehearse {
namespace {

constexpr double kXgmi = 48;
constexpr int kPowers = 27;
using Factors = std::array<double, kPowers>;

// LL, then Simple (LL128 is off on gfx94: 509-517).
struct Model {
  double tree_hop[2], ring_hop[2], tree_net[2], ring_net[2];  // us
  double tree_two[2], tree_more[2], ring[2];  // share of the links: two servers or fewer; more
  Factors tree_factors[2], ring_factors[2];   // by power of two from 64 B on
};

constexpr double kBase[2] = {12, 17};  // 57

constexpr Model kModel0 = {  // 74-102
    .tree_hop = {0.8, 2.5},
    .ring_hop = {0.8, 3.6},
    .tree_net = {11.8, 20.8},
    .ring_net = {9.5, 15.1},
    .tree_two = {0.04, 0.91},
    .tree_more = {0.04, 0.95},
    .ring = {0.04, 1},
    .tree_factors = {{.1, .2, .1, .1, .9, .3, .4, .1, .2, .4, .2, .1, .3, .3,
                      .2, .2, .2, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1},
                     {.2, 1, .1, .1, .7, .2, .4, .1, .1, .3, .4, .3, .6, .8,
                      1,  1, 1,  1,  .9, .8, .8, .8, .8, .8, .9, .9, .9}},
    .ring_factors = {{.1, .1, .1, .1, .1, .2, .4, .2, .3, .5, .3, .1, .5, .5,
                      .3, .2, .2, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1},
                     {1,  .8, .2, 1,  1, .3, 1, .1, .1, .2, .2, .1, .5, 1,
                      .8, .8, 1,  .9, 1, 1,  1, 1,  1,  1,  1,  1,  1}}};

constexpr Model kModel5 = {  // 224-252
    .tree_hop = {0.9, 2.3},
    .ring_hop = {0.8, 2.1},
    .tree_net = {10.5, 25},
    .ring_net = {9.5, 320},
    .tree_two = {0.06, 0.11},
    .tree_more = {0.06, 0.59},
    .ring = {0.08, 1},
    .tree_factors = {{.1, .1, .1, .1, .1, .1, 1,  1,  1,  1,  1,  .6, 1, .9,
                      1,  1,  .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1},
                     {.1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1,
                      .1, .7, 1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  .8}},
    .ring_factors = {{.1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, 1,  .2, 1,
                      .4, .4, .1, .2, .2, .1, .1, .1, .1, .1, .1, .1, .1},
                     {.1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1,
                      .1, .1, .1, .1, .1, .1, .1, .1, .1, .8, 1,  1,  1}}};

// Written graphs: 28 rings of a server, doubled, and 64 of several with 8 NICs, at most 64
// (connect.cc:628-660). Searched ones, rings of 24: 2 (n - 1), doubled; for 2 GPUs 32, for 4 at
// least 24 (init.cc:1493-1503).
int channels_of(const RcclMachine& machine) {
  if (machine.servers > 1) return 64;
  if (machine.ranks == 8) return 56;
  if (machine.ranks == 2) return 32;
  return machine.ranks == 4 ? 24 : 4 * (machine.ranks - 1);
}

double tree_latency(const RcclMachine& machine, const Model& model, int p) {
  return 2 * ((machine.ranks_per_server - 1) * model.tree_hop[p] +
              nccl_log2(machine.servers) * model.tree_net[p]);
}

// 435-450.
double ring_latency(const RcclMachine& machine, const Model& model, CollectiveOp op,
                    NcclProtocol protocol) {
  const int p = protocol == NcclProtocol::kSimple ? 1 : 0;
  const double hop = model.ring_hop[p];
  const bool across = machine.servers > 1;
  if (op == CollectiveOp::kBroadcast || op == CollectiveOp::kReduce) {
    return across ? model.ring_net[p] : hop;
  }
  const int steps = nccl_ring_steps(op, machine.ranks);
  if (!across) return steps * hop;
  const int nets = op == CollectiveOp::kAllReduce ? 2 * machine.servers : machine.servers - 1;
  return (steps - nets) * std::max(hop, nccl_post(machine.cpu, protocol)) +
         nets * model.ring_net[p];
}

NcclEstimate tree_of(const RcclMachine& machine, const Model& model, NcclProtocol protocol) {
  const int p = protocol == NcclProtocol::kSimple ? 1 : 0;
  const double links = kXgmi * (machine.ranks_per_server - 1);
  NcclEstimate tree{.algorithm = NcclAlgorithm::kTree, .protocol = protocol};
  tree.bandwidth = 0.5 * links * (machine.servers <= 2 ? model.tree_two : model.tree_more)[p];
  tree.latency = kBase[p] + tree_latency(machine, model, p);
  tree.correction = model.tree_factors[p];
  return tree;
}

NcclEstimate ring_of(const RcclMachine& machine, const Model& model, CollectiveOp op,
                     NcclProtocol protocol) {
  const int p = protocol == NcclProtocol::kSimple ? 1 : 0;
  const double links = kXgmi * (machine.ranks_per_server - 1);
  NcclEstimate ring{.algorithm = NcclAlgorithm::kRing, .protocol = protocol};
  ring.bandwidth = links * model.ring[p] * machine.ranks / nccl_ring_steps(op, machine.ranks);
  const bool rooted = op == CollectiveOp::kBroadcast || op == CollectiveOp::kReduce;
  if (rooted && p == 0 && machine.servers == 1) ring.bandwidth *= 1.65;  // 381
  ring.latency = kBase[p] + ring_latency(machine, model, op, protocol);
  if (machine.servers > 1) ring.correction = model.ring_factors[p];
  return ring;
}

// 256 threads, 8 or 64 bytes each (device.h:68, comm.h:40-42; 591-595).
double bytes_per_channel(const RcclMachine& machine, NcclAlgorithm algorithm,
                         NcclProtocol protocol) {
  if (protocol == NcclProtocol::kSimple) return 256.0 * 64;
  return 256.0 * 8 * (algorithm == NcclAlgorithm::kRing ? machine.ranks : 1);
}

}  // namespace

bool RcclTuning::knows(const RcclMachine& machine) {
  if (machine.servers > 1) {
    return machine.ranks_per_server == 8 && machine.ranks == 8 * machine.servers;
  }
  return machine.ranks >= 2 && machine.ranks <= 8 && machine.ranks_per_server == machine.ranks;
}

RcclTuning::RcclTuning(const RcclMachine& machine) {
  SIM_CHECK(knows(machine), "a group that RCCL's graphs are not known of");
  const Model& model = machine.ranks_per_server == 8 ? kModel5 : kModel0;
  const auto add_estimate = [&](CollectiveOp op, NcclEstimate estimate) {
    estimate.channels = channels_of(machine);
    estimate.bytes_per_channel = bytes_per_channel(machine, estimate.algorithm, estimate.protocol);
    estimate.clamps = true;  // 651-657
    add(op, estimate);
  };
  for (const CollectiveOp op : kOps) {
    if (op == CollectiveOp::kAllReduce) {
      add_estimate(op, tree_of(machine, model, NcclProtocol::kLl));
      // None in one server (365).
      if (machine.servers > 1) add_estimate(op, tree_of(machine, model, NcclProtocol::kSimple));
    }
    add_estimate(op, ring_of(machine, model, op, NcclProtocol::kLl));
    add_estimate(op, ring_of(machine, model, op, NcclProtocol::kSimple));
  }
}

}  // namespace rehearse
