// NCCL's estimates against the tables of tuning.cc applied by hand. GB/s and us, as NCCL has them.
#include "collectives/libraries/nccl_tuning.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "nccl_machines.hpp"

namespace rehearse {
namespace {

std::string name_of(const NcclCandidate& candidate) {
  return std::string(to_text(candidate.algorithm)) + "." + to_text(candidate.protocol);
}

std::string choice(const NcclMachine& machine, CollectiveOp op, double bytes) {
  return name_of(NcclTuning(machine).choose(op, Bytes{bytes}));
}

// By the name "ring.ll"; empty where NCCL does not consider it.
std::optional<NcclCandidate> find(const NcclMachine& machine, CollectiveOp op,
                                  const std::string& name, double bytes) {
  const NcclTuning tuning(machine);
  const NcclCandidates found = tuning.candidates(op, Bytes{bytes});
  for (const NcclCandidate& candidate : found.all()) {
    if (name_of(candidate) == name) return candidate;
  }
  return std::nullopt;
}

double micros(const NcclMachine& machine, CollectiveOp op, const std::string& name, double bytes) {
  const auto found = find(machine, op, name, bytes);
  SIM_CHECK(found, name + " is not considered");
  return found->time.value * 1e6;
}

double latency(const NcclMachine& machine, CollectiveOp op, const std::string& name,
               double bytes = 64) {
  const auto found = find(machine, op, name, bytes);
  SIM_CHECK(found, name + " is not considered");
  return found->latency.value * 1e6;
}

// Bus bandwidth of an all_reduce as NCCL counts it: x 2 (n - 1) / n.
double bus_bandwidth(const NcclMachine& machine, const std::string& name) {
  const auto found = find(machine, CollectiveOp::kAllReduce, name, 8 * kGib);
  SIM_CHECK(found, name + " is not considered");
  return found->bandwidth.value / 1e9 * 2 * (machine.ranks - 1) / machine.ranks;
}

TEST(NcclTuning, EightH100) {
  // Algorithm bandwidth and latency of the header's formula; see each line.
  struct Row {
    const char* name;
    double kib8, mib1, mib64, gib1;
  };
  // tree.ll   360 x .92 / 3.8 x .5 = 43.6, x .7 at 8 KiB, x .5 at 1 MiB; 6.8 + 14 x .6
  // ring.ll   min(141, 180) x 8/14 = 80.6; 6.6 + 14 x .6 = 15
  // ring.ll128  360 x .92 x 8/14 = 189.3; 14 + 14 x 1.9 = 40.6
  // ring.simple 360 x 8/14 = 205.7; 8.4 + 14 x 3.4 = 56
  // nvls      8 x min(40 x .85 x 7/8 x 2, 60) = 476, x 8/14 = 272; 25
  constexpr double kNot = 0;
  const Row rows[] = {
      {"tree.ll", 15.47, 63.3, kNot, kNot},       {"ring.ll", 15.10, 28.0, 847.9, kNot},
      {"ring.ll128", 40.64, 46.14, 395.2, 5714},  {"ring.simple", 56.04, 61.1, 382.2, 5276},
      {"nvls.simple", 25.03, 28.86, 271.7, 3972},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const std::pair<double, double> cells[] = {
        {8 * kKib, row.kib8}, {kMib, row.mib1}, {64 * kMib, row.mib64}, {kGib, row.gib1}};
    for (const auto& [bytes, expected] : cells) {
      if (expected == kNot) continue;
      EXPECT_NEAR(micros(h100(), CollectiveOp::kAllReduce, row.name, bytes), expected,
                  0.002 * expected);
    }
  }
  EXPECT_EQ(choice(h100(), CollectiveOp::kAllReduce, 8 * kKib), "ring.ll");
  EXPECT_EQ(choice(h100(), CollectiveOp::kAllReduce, kMib), "ring.ll");
  EXPECT_EQ(choice(h100(), CollectiveOp::kAllReduce, 64 * kMib), "nvls.simple");
  EXPECT_EQ(choice(h100(), CollectiveOp::kAllReduce, kGib), "nvls.simple");
}

TEST(NcclTuning, NvlsByRanks) {
  // n heads x min(speed x .85 x (n - 1)/n x 2, 60), speed 60 to n = 5, then 50, 40, 40. Two ranks:
  // 60 x .85 x 1/2 x 2 = 51 is less than 60.
  const double expected[] = {102, 180, 240, 300, 360, 408, 476};
  for (int n = 2; n <= 8; ++n) {
    EXPECT_NEAR(bus_bandwidth(h100(1, n), "nvls.simple"), expected[n - 2], 0.01) << n;
    EXPECT_NEAR(bus_bandwidth(h100(1, n), "ring.simple"), 360, 0.01) << n;
  }
  // So it is taken for large sizes from where it is no slower.
  EXPECT_EQ(choice(h100(1, 5), CollectiveOp::kAllReduce, 8 * kGib), "ring.simple");
  EXPECT_EQ(choice(h100(1, 6), CollectiveOp::kAllReduce, 8 * kGib), "nvls.simple");
  EXPECT_EQ(choice(h100(1, 7), CollectiveOp::kAllReduce, 8 * kGib), "nvls.simple");
}

TEST(NcclTuning, NvlsTree) {
  // N = 2: 8 x min(59.5, 96, 57.7); more: 8 x min(59.5, 48, 45.5) (measured: 470 and 366).
  EXPECT_NEAR(bus_bandwidth(h100(2), "nvls_tree.simple"), 461.6, 0.01);
  EXPECT_NEAR(bus_bandwidth(h100(4), "nvls_tree.simple"), 364, 0.01);
  EXPECT_NEAR(latency(h100(4), CollectiveOp::kAllReduce, "nvls_tree.simple"), 25 + 4 * 20.9, 1e-9);
  EXPECT_EQ(choice(h100(2), CollectiveOp::kAllReduce, kGib), "nvls_tree.simple");
  EXPECT_FALSE(find(h100(2), CollectiveOp::kAllReduce, "nvls.simple", kGib));
  EXPECT_FALSE(find(h100(), CollectiveOp::kAllReduce, "nvls_tree.simple", kGib));
  // Blackwell with an x86 CPU is corrected by size, .5 at 1 MiB; with Grace it is not.
  NcclMachine grace = b200(4);
  grace.cpu = NcclHostCpu::kArm;
  const auto x86 = find(b200(4), CollectiveOp::kAllReduce, "nvls_tree.simple", kMib);
  const auto arm = find(grace, CollectiveOp::kAllReduce, "nvls_tree.simple", kMib);
  EXPECT_NEAR(x86->bandwidth / arm->bandwidth, 0.5, 1e-9);
}

TEST(NcclTuning, NvlsGathersNoFaster) {
  // all_gather: 8 x 40 x .85 x (7/8)^2 = 208 against 360 x 8/7.
  const auto nvls = find(h100(), CollectiveOp::kAllGather, "nvls.simple", kGib);
  EXPECT_NEAR(nvls->bandwidth.value / 1e9, 208.25, 0.01);
  EXPECT_EQ(choice(h100(), CollectiveOp::kAllGather, kGib), "ring.simple");
  EXPECT_EQ(choice(h100(), CollectiveOp::kReduceScatter, 8 * kKib), "ring.ll");
}

TEST(NcclTuning, A100TakesRings) {
  EXPECT_EQ(choice(a100(), CollectiveOp::kAllReduce, 8 * kKib), "ring.ll");
  EXPECT_EQ(choice(a100(), CollectiveOp::kAllReduce, kGib), "ring.simple");
  // min(240 x .92, 12 x 20) = 220.8.
  EXPECT_NEAR(bus_bandwidth(a100(), "ring.ll128"), 220.8, 0.01);
  EXPECT_NEAR(bus_bandwidth(a100(), "ring.ll"), 87.7, 0.01);
}

TEST(NcclTuning, AcrossServersByLatency) {
  // Tree LL: 6.8 + 2 (7 x .6 + log2 N x 5). An uneven number counts the whole steps of log2.
  for (const auto& [servers, expected] :
       std::vector<std::pair<int, double>>{{2, 25.2}, {3, 25.2}, {4, 35.2}, {16, 55.2}}) {
    EXPECT_NEAR(latency(h100(servers), CollectiveOp::kAllReduce, "tree.ll"), expected, 1e-9);
    EXPECT_EQ(choice(h100(servers), CollectiveOp::kAllReduce, 8 * kKib), "tree.ll");
  }
  // Ring LL of 16: 30 steps, 2 of them 2.7 across, 28 at a post to the network (1 us, AMD 2).
  NcclMachine machine = h100(2);
  EXPECT_NEAR(latency(machine, CollectiveOp::kAllReduce, "ring.ll"), 6.6 + 28 + 5.4, 1e-9);
  // Simple: 28 x 3.4 + 2 x 14, x 1.4 from 64 B per channel and rank on: 64 x 16 x 16 = 16 KiB.
  const double simple = 8.4 + 28 * 3.4 + 28;
  EXPECT_NEAR(latency(machine, CollectiveOp::kAllReduce, "ring.simple", 16 * kKib - 1), simple,
              1e-9);
  EXPECT_NEAR(latency(machine, CollectiveOp::kAllReduce, "ring.simple", 16 * kKib), 1.4 * simple,
              1e-9);
  machine.cpu = NcclHostCpu::kAmd;
  EXPECT_NEAR(latency(machine, CollectiveOp::kAllReduce, "ring.ll"), 6.6 + 56 + 5.4, 1e-9);
  // What the network's plugin reports counts per step across, for Simple twice (the flush).
  machine.nic_latency = {20e-6};
  EXPECT_NEAR(latency(machine, CollectiveOp::kAllReduce, "tree.ll"), 25.2 + 2 * 20, 1e-9);
  EXPECT_NEAR(latency(machine, CollectiveOp::kAllReduce, "tree.simple"),
              8.4 + 2 * (7 * 4 + 14 + 40), 1e-9);
}

TEST(NcclTuning, AcrossServersByBandwidth) {
  // LL is limited by the CPU's row: Intel 39, 20.4, AMD 22.5, 19.
  EXPECT_NEAR(bus_bandwidth(h100(2), "ring.ll"), 39, 0.01);
  EXPECT_NEAR(bus_bandwidth(h100(4), "ring.ll"), 20.4, 0.01);
  NcclMachine amd = h100(4);
  amd.cpu = NcclHostCpu::kAmd;
  EXPECT_NEAR(bus_bandwidth(amd, "ring.ll"), 19, 0.01);
  // 8 x min(48 x .92, 36.7).
  EXPECT_NEAR(bus_bandwidth(h100(4), "ring.ll128"), 8 * 36.7, 0.01);
  // Trees of A100: 8 x min(30 x .92, 23.6) at two servers, 8 x min(24 x .92, 17.8) beyond; the
  // buffer is half of that.
  EXPECT_NEAR(bus_bandwidth(a100(2), "tree.simple"), 8 * 23.6 * 0.5 * 30 / 16, 0.01);
  EXPECT_NEAR(bus_bandwidth(a100(4), "tree.simple"), 8 * 17.8 * 0.5 * 62 / 32, 0.01);
  // Hopper's tree through one GPU of a server: x .85.
  EXPECT_NEAR(bus_bandwidth(h100(4), "tree.simple"), 8 * 36 * 0.85 * 0.5 * 62 / 32, 0.01);
  // LL128 through the host is off, and over PCIe.
  NcclMachine host = h100(2);
  host.nic_at_switch = false;
  EXPECT_TRUE(find(h100(2), CollectiveOp::kAllReduce, "ring.ll128", kMib));
  EXPECT_FALSE(find(host, CollectiveOp::kAllReduce, "ring.ll128", kMib));
  const NcclMachine pcie = machine_of(NcclGeneration::kAmpere, 0, 1, 4, 0, 0);
  EXPECT_FALSE(find(pcie, CollectiveOp::kAllReduce, "ring.ll128", kMib));
}

TEST(NcclTuning, GathersAcrossServersByRings) {
  for (const int servers : {2, 4, 16}) {
    for (double bytes = 64; bytes <= 16 * kGib; bytes *= 2) {
      for (const CollectiveOp op : {CollectiveOp::kAllGather, CollectiveOp::kReduceScatter}) {
        const NcclTuning tuning(h100(servers));
        EXPECT_EQ(tuning.choose(op, Bytes{bytes}).algorithm, NcclAlgorithm::kRing);
      }
    }
  }
  // PAT with one GPU a server: 8 + 4 x 14/3.5 + 16 x 2.8 = 68.8 against ring LL's 6.6 + 15 x 5.
  const NcclMachine alone = h100(16, 1, 1);
  EXPECT_NEAR(latency(alone, CollectiveOp::kAllGather, "pat.simple"), 68.8, 1e-9);
  EXPECT_NEAR(latency(alone, CollectiveOp::kAllGather, "ring.ll"), 81.6, 1e-9);
  EXPECT_EQ(choice(alone, CollectiveOp::kAllGather, 8 * kKib), "pat.simple");
  EXPECT_FALSE(find(alone, CollectiveOp::kAllReduce, "pat.simple", kMib));
  // 2 x 24 x .75.
  const auto pat = find(alone, CollectiveOp::kAllGather, "pat.simple", kGib);
  EXPECT_NEAR(pat->bandwidth.value / 1e9, 36, 0.01);
}

TEST(NcclTuning, BroadcastIsOneStepWhereTheRingsAreAlike) {
  // One server: 6.6 + .6. Several rails: n steps over the network, Simple by the tree's.
  EXPECT_NEAR(latency(h100(), CollectiveOp::kBroadcast, "ring.ll"), 7.2, 1e-9);
  EXPECT_NEAR(latency(h100(2), CollectiveOp::kReduce, "ring.ll"), 6.6 + 16 * 2.7, 1e-9);
  EXPECT_NEAR(latency(h100(2), CollectiveOp::kBroadcast, "ring.simple"), 8.4 + 16 * 14, 1e-9);
  EXPECT_NEAR(latency(h100(2, 8, 1), CollectiveOp::kBroadcast, "ring.ll"), 9.3, 1e-9);
  const auto ring = find(h100(), CollectiveOp::kBroadcast, "ring.simple", kGib);
  EXPECT_NEAR(ring->bandwidth.value / 1e9, 360, 0.01);
}

TEST(NcclTuning, SmallSizesTakeFewerChannels) {
  // Ring LL of 8: a channel needs 512 threads x 8 B x 8 ranks = 32 KiB.
  const auto channels = [](const std::string& name, double bytes) {
    return find(h100(), CollectiveOp::kAllReduce, name, bytes)->channels;
  };
  EXPECT_EQ(channels("ring.ll", 1), 1);
  EXPECT_EQ(channels("ring.ll", 96 * kKib), 3);
  EXPECT_EQ(channels("ring.ll", kMib), 24);
  // Tree LL 4 KiB, LL128 640 x 8 = 5 KiB, Simple 512 x 64 = 32 KiB; NVLS all of its own.
  EXPECT_EQ(channels("tree.ll", 8 * kKib), 2);
  EXPECT_EQ(channels("ring.ll128", 50 * kKib), 10);
  EXPECT_EQ(channels("ring.simple", 64 * kKib), 2);
  EXPECT_EQ(channels("nvls.simple", 1), 16);
}

TEST(NcclTuning, NoAlgorithmsForPeers) {
  EXPECT_FALSE(NcclTuning::chooses(CollectiveOp::kAllToAll));
  EXPECT_FALSE(NcclTuning::chooses(CollectiveOp::kGather));
  EXPECT_TRUE(NcclTuning::chooses(CollectiveOp::kReduce));
  EXPECT_THROW(NcclTuning(h100()).choose(CollectiveOp::kAllToAll, Bytes{1}), InternalError);
}

std::vector<NcclMachine> many_machines() {
  std::vector<NcclMachine> machines;
  for (const int servers : {1, 2, 3, 16}) {
    for (const int per_server : {1, 2, 5, 8}) {
      if (servers * per_server < 2) continue;
      for (const int nics : {1, 4, 8}) {
        machines.insert(machines.end(),
                        {a100(servers, per_server, nics), h100(servers, per_server, nics),
                         h800(servers, per_server, nics, 50), b200(servers, per_server, nics),
                         machine_of(NcclGeneration::kVolta, 0, servers, per_server, nics, 12.5)});
      }
    }
  }
  return machines;
}

TEST(NcclTuning, TimeGrowsWithSize) {
  // Per candidate. Where NCCL corrects trees by the power of two of the size, a doubling may make
  // it faster (tree LL from .4 to .5 at 1 MiB): there only within a power.
  for (const NcclMachine& machine : many_machines()) {
    const NcclTuning tuning(machine);
    for (int op = 0; op < kCollectiveOps; ++op) {
      const auto collective = static_cast<CollectiveOp>(op);
      if (!NcclTuning::chooses(collective)) continue;
      for (double bytes = 64; bytes < 4 * kGib; bytes *= 2) {
        const NcclCandidates less = tuning.candidates(collective, Bytes{bytes});
        const NcclCandidates inside = tuning.candidates(collective, Bytes{1.9 * bytes});
        const NcclCandidates more = tuning.candidates(collective, Bytes{2 * bytes});
        ASSERT_GE(less.all().size(), 2U);
        for (std::size_t at = 0; at < less.all().size(); ++at) {
          EXPECT_LT(less.all()[at].time, inside.all()[at].time);
          EXPECT_GE(inside.all()[at].channels, less.all()[at].channels);
          const NcclAlgorithm algorithm = less.all()[at].algorithm;
          if (algorithm == NcclAlgorithm::kTree || algorithm == NcclAlgorithm::kNvlsTree) continue;
          EXPECT_LT(inside.all()[at].time, more.all()[at].time);
        }
      }
    }
  }
  const double before = micros(h100(), CollectiveOp::kAllReduce, "tree.ll", kMib - 1);
  EXPECT_GT(before, micros(h100(), CollectiveOp::kAllReduce, "tree.ll", kMib));
}

TEST(NcclTuning, TakesTheLeast) {
  for (const NcclMachine& machine : many_machines()) {
    const NcclTuning tuning(machine);
    const NcclGraphs& graphs = tuning.graphs();
    EXPECT_GE(graphs.channels, 1);
    EXPECT_LE(graphs.channels, 64);
    EXPECT_EQ(graphs.ring.channels, graphs.tree.channels);
    for (const double bytes : {1.0, 8 * kKib, kMib, kGib}) {
      const NcclCandidate least = tuning.choose(CollectiveOp::kAllReduce, Bytes{bytes});
      const NcclCandidates found = tuning.candidates(CollectiveOp::kAllReduce, Bytes{bytes});
      for (const NcclCandidate& candidate : found.all()) {
        EXPECT_LE(least.time, candidate.time);
        EXPECT_TRUE(std::isfinite(candidate.time.value));
        EXPECT_GT(candidate.bandwidth.value, 0);
        EXPECT_LE(candidate.channels, 64);
      }
    }
  }
}

}  // namespace
}  // namespace rehearse
