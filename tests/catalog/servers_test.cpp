// Servers whose NICs are not their GPUs, PCIe boxes, meshes and tori, once SimGrid has loaded them.
#include "catalog/servers.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>

#include "base/error.hpp"
#include "base/processes.hpp"
#include "catalog/device_catalog.hpp"
#include "cluster/bisection.hpp"
#include "cluster/cluster.hpp"

namespace rehearse {
namespace {

PlatformRequest request_of(const std::string& gpu, std::int64_t nodes,
                           const std::string& fabric = "star") {
  PlatformRequest request;
  request.gpu = gpu;
  request.fabric = fabric;
  request.nodes = nodes;
  return request;
}

Cluster load(const PlatformRequest& request) {
  const std::string path = "server-" + std::to_string(getpid()) + ".xml";
  std::ofstream(path) << platform_xml(request);
  Cluster cluster = load_cluster(path);
  std::remove(path.c_str());
  return cluster;
}

std::string message_of(const PlatformRequest& request) {
  try {
    platform_xml(request);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

// GB/s of the links of a route, rounded to two decimals.
std::vector<double> rates(Cluster& cluster, int from, int to) {
  std::vector<double> found;
  for (const int link : cluster.route(from, to).links) {
    found.push_back(std::round(cluster.links()[link].bandwidth.value / 1e7) / 100);
  }
  return found;
}

using Rates = std::vector<double>;

// 8 A100 over NVSwitch (300 GB/s), PCIe 4.0 x16 (31.51 GB/s), 4 NICs of 100 Gb/s (12.5 GB/s) for
// pairs of them.
TEST(Nics, FewerThanGpusAreSharedByNeighbours) {
  PlatformRequest request = request_of("a100", 2);
  request.nics = 4;
  request.nic = "100Gbps";
  Cluster cluster = load(request);
  EXPECT_EQ(rates(cluster, 0, 1), (Rates{300, 300}));
  EXPECT_EQ(rates(cluster, 0, 7), (Rates{300, 300}));
  EXPECT_EQ(rates(cluster, 0, 8), (Rates{31.51, 12.5, 12.5, 31.51}));
  EXPECT_EQ(cluster.platform().gpus[8].domain, 1);
  // GPUs 0 and 1 leave through the same NIC, 2 through another.
  const auto nic_of = [&](int gpu) { return cluster.route(gpu, 15).links[1]; };
  EXPECT_EQ(nic_of(0), nic_of(1));
  EXPECT_NE(nic_of(0), nic_of(2));
  // A NIC and its cable, 1.35 us, and the PCIe link of 0.5 us, on both sides.
  EXPECT_DOUBLE_EQ(cluster.route(0, 8).latency.value, 2 * (0.5e-6 + 1.35e-6));
  // Half of the GPUs against the other: the four NICs of a server.
  EXPECT_NEAR(measure_bisection(cluster).bandwidth.value, 4 * 12.5e9, 1);
}

TEST(Nics, OfRailsAndLeavesAreAtTheSwitchOfTheirPlace) {
  PlatformRequest request = request_of("a100", 3, "rail");
  request.nics = 2;
  Cluster rail = load(request);
  // GPUs 0 to 3 of each server on rail 0, 4 to 7 on rail 1; a trunk takes three NICs of 25 GB/s.
  EXPECT_EQ(rates(rail, 0, 8), (Rates{31.51, 25, 25, 31.51}));
  EXPECT_EQ(rates(rail, 0, 12), (Rates{31.51, 25, 75, 75, 25, 31.51}));
}

TEST(Nics, LeavesHave32OfThem) {
  PlatformRequest request = request_of("a100", 12, "leaf-spine");
  request.nics = 4;
  request.oversubscription = 2;
  Cluster cluster = load(request);
  // 48 NICs of 25 GB/s: 32 and 16, so 8 servers and 4. Trunks are halved.
  EXPECT_EQ(rates(cluster, 0, 56), (Rates{31.51, 25, 25, 31.51}));
  EXPECT_EQ(rates(cluster, 0, 64), (Rates{31.51, 25, 400, 200, 25, 31.51}));
}

// Several NICs of one GPU are one link of their sum, up to its PCIe link.
TEST(Nics, MoreThanGpusAddUpToThePcieOfTheGpu) {
  PlatformRequest request = request_of("gh200", 2);
  request.nics = 4;
  request.nic = "100Gbps";
  Cluster four = load(request);
  EXPECT_EQ(rates(four, 0, 1), (Rates{50, 50}));
}

TEST(Nics, BeyondThePcieOfTheGpuDoNotHelp) {
  PlatformRequest request = request_of("h100", 2);
  request.gpus_per_node = 1;
  request.nics = 8;
  Cluster eight = load(request);
  EXPECT_EQ(rates(eight, 0, 1), (Rates{63.02, 63.02}));
}

// Gaudi 3: three ports of 200 Gb/s to each of the seven others, three to the outside.
TEST(Gaudi3, HasThreePortsToEachOtherAndThreeOutside) {
  Cluster cluster = load(request_of("gaudi3", 2));
  EXPECT_EQ(rates(cluster, 0, 1), (Rates{525, 75, 525}));
  EXPECT_EQ(rates(cluster, 0, 8), (Rates{75, 75}));
  EXPECT_NEAR(measure_bisection(cluster).bandwidth.value, 8 * 75e9, 1);
}

// DGX-1: 8 GPUs, 4 InfiniBand EDR.
TEST(V100, SharesFourNicsAmongEight) {
  Cluster cluster = load(request_of("v100", 2));
  EXPECT_EQ(rates(cluster, 0, 7), (Rates{150, 150}));
  EXPECT_EQ(rates(cluster, 0, 8), (Rates{15.75, 12.5, 12.5, 15.75}));
}

// L40S, PCIe 4.0, four cards at each of two sockets, 22 GB/s between them, two NICs of 200 Gb/s a
// socket.
TEST(PcieBox, HasHostBridgesAndALinkBetweenThem) {
  Cluster cluster = load(request_of("l40s", 2));
  EXPECT_EQ(rates(cluster, 0, 3), (Rates{31.51, 31.51}));
  EXPECT_EQ(rates(cluster, 0, 4), (Rates{31.51, 22, 31.51}));
  EXPECT_EQ(rates(cluster, 0, 8), (Rates{31.51, 50, 50, 31.51}));
  const Platform& platform = cluster.platform();
  EXPECT_TRUE(platform.gpus[0].port.empty());
  for (int gpu = 0; gpu < 16; ++gpu) EXPECT_EQ(platform.gpus[gpu].domain, gpu / 8);
}

// A single NIC is at the first socket; the other reaches it over the link between them.
TEST(PcieBox, WithOneNicHasItAtTheFirstSocket) {
  PlatformRequest request = request_of("l40s", 2);
  request.nics = 1;
  Cluster cluster = load(request);
  EXPECT_EQ(rates(cluster, 0, 8), (Rates{31.51, 25, 25, 31.51}));
  EXPECT_EQ(rates(cluster, 4, 8), (Rates{31.51, 22, 25, 25, 31.51}));
  EXPECT_EQ(rates(cluster, 4, 12), (Rates{31.51, 22, 25, 25, 22, 31.51}));
}

TEST(PcieBox, OfFourCardsHasOneSocket) {
  PlatformRequest request = request_of("rtx4090", 1);
  request.gpus_per_node = 4;
  Cluster cluster = load(request);
  EXPECT_EQ(rates(cluster, 0, 3), (Rates{31.51, 31.51}));
  EXPECT_EQ(cluster.platform().gpus[3].domain, 0);
}

// Cards 0-1, 2-3, ... have a bridge; others meet at their host bridge or across the sockets.
TEST(Bridges, JoinPairsAndTheOthersOverPcie) {
  Cluster cluster = load(request_of("a100-pcie", 1));
  EXPECT_EQ(rates(cluster, 0, 1), (Rates{300, 300}));
  EXPECT_EQ(rates(cluster, 1, 2), (Rates{31.51, 31.51}));
  EXPECT_EQ(rates(cluster, 0, 7), (Rates{31.51, 16, 31.51}));
  EXPECT_EQ(cluster.platform().gpus[7].domain, 3);
}

TEST(Bridges, MayBeLeftOut) {
  PlatformRequest request = request_of("a100-pcie", 1);
  request.unbridged = true;
  Cluster cluster = load(request);
  EXPECT_EQ(rates(cluster, 0, 1), (Rates{31.51, 31.51}));
  EXPECT_EQ(cluster.platform().gpus[7].domain, 0);
}

// v4 and v5p join the ends of dimensions that are multiples of 4: 4 x 4 x 4 chips, 50 GB/s a link,
// so the far corner is 2 + 2 + 2 hops away and a cut of the longest ring crosses 2 x 16 links.
TEST(Torus, OfWholeCubesWraps) {
  Cluster cluster = load(request_of("tpu-v4", 16, ""));
  EXPECT_EQ(rates(cluster, 0, 42), (Rates(6, 50)));
  EXPECT_DOUBLE_EQ(cluster.route(0, 42).latency.value, 6e-6);
  EXPECT_NEAR(measure_bisection(cluster).bandwidth.value, 2 * 16 * 50e9, 1);
  EXPECT_EQ(cluster.platform().gpus[63].domain, 0);
}

// v5e below 16 in a dimension has open ends: of 8 x 8 chips the corners are 7 + 7 hops apart, and
// a cut crosses 8 links.
TEST(Torus, OfASmallSliceHasOpenEnds) {
  Cluster cluster = load(request_of("tpu-v5e", 16, ""));
  EXPECT_EQ(rates(cluster, 0, 63), (Rates(14, 50)));
  EXPECT_EQ(rates(cluster, 0, 1), (Rates{50}));
  EXPECT_NEAR(measure_bisection(cluster).bandwidth.value, 8 * 50e9, 1);
}

// 8 x 16: only the dimension of 16 is a ring, so chip 15 of a row is one hop from chip 0.
TEST(Torus, MayWrapInOneDimension) {
  Cluster cluster = load(request_of("tpu-v5e", 32, ""));
  const auto hops = [&](int to) { return cluster.route(0, to).links.size(); };
  EXPECT_EQ(hops(7), 7U);    // along the 8
  EXPECT_EQ(hops(120), 1U);  // 15 along the 16
  EXPECT_EQ(hops(64), 8U);   // 8 along the 16
}

TEST(Torus, IsTheWholeFabric) {
  EXPECT_EQ(message_of(request_of("tpu-v5e", 128, "")),
            "--nodes 128:1:9: error: 512 chips: a slice of tpu-v5e has at most 256, and several "
            "slices are not joined here");
  EXPECT_EQ(message_of(request_of("tpu-v4", 2, "rail")),
            "--fabric:1:1: error: tpu-v4 is joined by its own torus, and by nothing else");
  PlatformRequest with_nics = request_of("tpu-v4", 2, "");
  with_nics.nics = 4;
  EXPECT_EQ(message_of(with_nics),
            "--nics:1:1: error: tpu-v4 is joined by its own torus, and by nothing else");
}

TEST(Servers, ThatDoNotDivideAreRefused) {
  PlatformRequest three = request_of("h100", 2);
  three.nics = 3;
  EXPECT_EQ(message_of(three),
            "--nics 3:1:8: error: must divide the 8 GPUs of a server, or be a multiple of them");
  PlatformRequest none = request_of("h100", 2);
  none.nics = 0;
  EXPECT_EQ(message_of(none),
            "--nics 0:1:8: error: must be a whole number from 1 to 1024: the NICs of a server");
  PlatformRequest torus = request_of("h100", 2, "torus");
  torus.nics = 4;
  EXPECT_EQ(
      message_of(torus),
      "--nics 4:1:8: error: the fabric \"torus\" has a NIC for each GPU: where GPUs share NICs "
      "or meet at host bridges, take star, rail or leaf-spine");
  PlatformRequest sockets = request_of("l40s", 2);
  sockets.nics = 3;
  EXPECT_EQ(message_of(sockets),
            "--nics 3:1:8: error: must be 1 or a multiple of the 2 host bridges of a server");
  PlatformRequest odd = request_of("a40", 1);
  odd.gpus_per_node = 3;
  EXPECT_EQ(message_of(odd),
            "--gpus-per-node 3:1:17: error: bridges join 2 cards: must be a multiple, or give "
            "--unbridged");
  PlatformRequest unbridged = request_of("h100", 1);
  unbridged.unbridged = true;
  EXPECT_EQ(message_of(unbridged),
            "--unbridged:1:1: error: h100 has no bridges: it belongs to PCIe cards with NVLink "
            "bridges");
  EXPECT_EQ(message_of(request_of("l40s", 300)),
            "--nodes 300:1:9: error: makes more than 512 groups of GPUs that share NICs: at most "
            "these");
  EXPECT_EQ(message_of(request_of("gh200", 1)),
            "--nodes 1:1:9: error: one GPU alone needs no fabric: give at least 2 GPUs");
}

// Each of them at 1, 2 and 4 servers has all its GPUs, and the first reaches the last.
TEST(EveryDevice, LoadsAtOneTwoAndFourServers) {
  const DeviceCatalog catalog;
  std::vector<std::string> expected;
  std::vector<std::function<std::string()>> jobs;
  for (const std::string& name : catalog.names()) {
    const DeviceSheet sheet = catalog.find(name);
    const bool domain =
        sheet.topology == ScaleUpTopology::kSwitch || sheet.topology == ScaleUpTopology::kMesh;
    const int of_node = sheet.count(domain ? FigureId::kScaleUpGpus : FigureId::kServerGpus);
    for (const int nodes : {1, 2, 4}) {
      if (nodes * of_node < 2) continue;  // gh200: one GPU alone
      const bool torus = sheet.topology == ScaleUpTopology::kTorus;
      const PlatformRequest request = request_of(name, nodes, torus ? "" : "star");
      expected.push_back(name + " " + std::to_string(nodes * of_node));
      jobs.emplace_back([request, name] {
        Cluster cluster = load(request);
        const int gpus = static_cast<int>(cluster.platform().gpus.size());
        return cluster.route(0, gpus - 1).links.empty() ? "no route"
                                                        : name + " " + std::to_string(gpus);
      });
    }
  }
  ASSERT_EQ(jobs.size(), 27U * 3 - 1);
  const std::vector<JobResult> loaded = run_in_processes(jobs, 2);
  for (std::size_t i = 0; i < jobs.size(); ++i) EXPECT_EQ(loaded[i].value(), expected[i]);
}

}  // namespace
}  // namespace rehearse
