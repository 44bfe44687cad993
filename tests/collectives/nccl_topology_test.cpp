// NCCL's graphs against lines that NCCL printed or that follow from its lists by hand. GB/s, as
// NCCL has them.
#include "collectives/libraries/nccl_topology.hpp"

#include <gtest/gtest.h>

#include "nccl_machines.hpp"

namespace rehearse {
namespace {

void expect_graph(const NcclGraph& graph, int channels, double intra, double inter) {
  EXPECT_EQ(graph.channels, channels);
  EXPECT_NEAR(graph.intra, intra, 1e-9);
  EXPECT_NEAR(graph.inter, inter, 1e-9);
}

TEST(NcclTopology, CountsALinkByItsTable) {
  // 12, 18, 8, 18 links of 20, 20.6, 20.6, 40.1.
  EXPECT_NEAR(nccl_nvlink(NcclGeneration::kVolta, giga(150)), 120, 1e-9);
  EXPECT_NEAR(nccl_nvlink(NcclGeneration::kAmpere, giga(300)), 240, 1e-9);
  EXPECT_NEAR(nccl_nvlink(NcclGeneration::kAmpere, giga(200)), 160, 1e-9);
  EXPECT_NEAR(nccl_nvlink(NcclGeneration::kHopper, giga(450)), 370.8, 1e-9);
  EXPECT_NEAR(nccl_nvlink(NcclGeneration::kHopper, giga(200)), 164.8, 1e-9);
  EXPECT_NEAR(nccl_nvlink(NcclGeneration::kBlackwell, giga(900)), 721.8, 1e-9);
  EXPECT_EQ(nccl_pcie(giga(15.75)), 12);
  EXPECT_EQ(nccl_pcie(giga(32)), 24);
  EXPECT_EQ(nccl_pcie(giga(25)), 24);
  EXPECT_EQ(nccl_pcie(giga(63)), 48);
  EXPECT_EQ(nccl_pcie(giga(8)), 6);
}

TEST(NcclTopology, OneServerFillsTheLinks) {
  // 6 x 40 = 240, doubled at half the speed; 6 x 60 = 360 of 370.8; 8 x 90 = 720 of 721.8. NCCL
  // printed the first two (12 channels of 20, of 30). All are duplicated when they are connected.
  for (const int gpus : {2, 4, 8}) {
    const NcclGraphs ampere = nccl_graphs(a100(1, gpus));
    expect_graph(ampere.ring, 12, 20, 20);
    EXPECT_EQ(ampere.channels, 24);
    const NcclGraphs hopper = nccl_graphs(h100(1, gpus));
    expect_graph(hopper.ring, 12, 30, 30);
    expect_graph(hopper.tree, 12, 30, 30);
    EXPECT_EQ(hopper.channels, 24);
    const NcclGraphs blackwell = nccl_graphs(b200(1, gpus));
    expect_graph(blackwell.ring, 16, 45, 45);
    EXPECT_EQ(blackwell.channels, 32);
  }
  // 8 links: 2 x 60, 3 x 50 and 4 x 40 = 160 of 164.8, which doubles: 4 channels are few.
  expect_graph(nccl_graphs(h800(1, 8, 0, 0)).ring, 8, 20, 20);
}

TEST(NcclTopology, AcrossServersByTheNics) {
  // Printed for 2 x 8 H100 with 8 x 400G: "Pattern 4, crossNic 2, nChannels 8, bw 48/48", 16
  // channels: through each GPU's links go 7 x 48 = 336 of 370.8. No doubling at 48 from 5 channels.
  const NcclGraphs rails = nccl_graphs(h100(2));
  expect_graph(rails.ring, 8, 48, 48);
  EXPECT_EQ(rails.channels, 16);
  EXPECT_TRUE(rails.one_gpu_tree);
  EXPECT_FALSE(rails.same_channels);
  // Printed for 2 NICs of 400G, 2 H20 and 8 H800: 4 channels of 24 (2 of 48, doubled).
  expect_graph(nccl_graphs(h100(2, 2, 2)).ring, 4, 24, 24);
  expect_graph(nccl_graphs(h800(2, 8, 2, 50)).ring, 4, 24, 24);
  // 8 H800, 8 NICs: 3 x 48 = 144, 4 x 40 = 160, and 8 x 22 = 176, for which each GPU passes on 7.
  expect_graph(nccl_graphs(h800(2, 8, 8, 50)).ring, 8, 22, 22);
  // A100: 25 counts as PCIe gen4's 24; 12.5 as 12. Not doubled below 25.
  expect_graph(nccl_graphs(a100(2)).ring, 8, 24, 24);
  expect_graph(nccl_graphs(a100(2, 8, 4, 12.5)).ring, 4, 12, 12);
  EXPECT_EQ(nccl_graphs(a100(2, 8, 4, 12.5)).channels, 8);
  // B300's 800G: 7 x 96 = 672 of 721.8, doubled.
  expect_graph(nccl_graphs(b200(2, 8, 8, 100)).ring, 16, 48, 48);
  // 6 rings of 48 are 12 channels, and on Hopper 24.
  EXPECT_EQ(nccl_graphs(h100(2, 6, 6)).channels, 24);
}

TEST(NcclTopology, TreesOfTwoServersAreFasterInside) {
  // Printed for one A100 and a NIC of 25: "Pattern 4, nChannels 1, bw 24/24", "Pattern 3, nChannels
  // 1, bw 48/24".
  const NcclGraphs one = nccl_graphs(a100(2, 1, 1, 25));
  expect_graph(one.ring, 1, 24, 24);
  expect_graph(one.tree, 1, 48, 24);
  EXPECT_TRUE(one.one_gpu_tree);
  EXPECT_TRUE(one.same_channels);
  // Printed for one GPU and a NIC of 0.25 (2 Gb/s): 0.24, and 1.2 in the server.
  expect_graph(nccl_graphs(a100(3, 1, 1, 0.25)).tree, 1, 1.2, 0.24);
  // 8 x 30 x 7/8 = 210 of 240; the next is 48: 336.
  expect_graph(nccl_graphs(a100(2)).tree, 8, 30, 24);
  EXPECT_FALSE(nccl_graphs(a100(2)).one_gpu_tree);
  // Hopper with NICs of 25: 8 x 48 x 7/8 = 336 of 370.8.
  expect_graph(nccl_graphs(h100(2, 8, 8, 25)).tree, 8, 48, 24);
}

TEST(NcclTopology, NvlsHeads) {
  // A head's link carries n + 1 parts: 9 x 40 of 370.8. Printed: "Pattern 5, nChannels 8, bw
  // 40/60".
  expect_graph(nccl_graphs(h100()).nvls, 8, 40, 60);
  EXPECT_EQ(nccl_graphs(h100()).nvls_channels, 16);
  expect_graph(nccl_graphs(h100(1, 2)).nvls, 2, 60, 60);
  expect_graph(nccl_graphs(h100(1, 6)).nvls, 6, 50, 60);
  // Across servers a head per NIC; the NICs' speed as far as it goes.
  expect_graph(nccl_graphs(h100(2)).nvls, 8, 40, 48);
  expect_graph(nccl_graphs(h100(2, 8, 4)).nvls, 4, 48, 48);
  // NVL72: 32 heads at most, 33 x 20 of 721.8.
  expect_graph(nccl_graphs(b200(1, 72)).nvls, 32, 20, 40);
  EXPECT_EQ(nccl_graphs(b200()).nvls_channels, 24);
  EXPECT_EQ(nccl_graphs(b200(2)).nvls_channels, 32);
  EXPECT_EQ(nccl_graphs(b200(4)).nvls_channels, 24);
  NcclMachine off = h100();
  off.multicast = false;
  EXPECT_EQ(nccl_graphs(off).nvls.channels, 0);
  EXPECT_EQ(nccl_graphs(a100()).nvls.channels, 0);
}

TEST(NcclTopology, PcieServers) {
  // gen4: 24 counted; through an Intel CPU 20 of it, one ring of the list's 20. Through AMD's all
  // of it: 1 x 20, then 2 x 12.
  NcclMachine l40s = machine_of(NcclGeneration::kAmpere, 0, 1, 4, 0, 0);
  expect_graph(nccl_graphs(l40s).ring, 1, 20, 20);
  EXPECT_EQ(nccl_graphs(l40s).channels, 2);
  l40s.cpu = NcclHostCpu::kAmd;
  expect_graph(nccl_graphs(l40s).ring, 2, 12, 12);
  // gen3: 12 counted, 10 through Intel.
  l40s.cpu = NcclHostCpu::kIntel;
  l40s.pcie = giga(16);
  expect_graph(nccl_graphs(l40s).ring, 1, 10, 10);
  l40s.cpu = NcclHostCpu::kAmd;
  expect_graph(nccl_graphs(l40s).ring, 1, 12, 12);
}

}  // namespace
}  // namespace rehearse
