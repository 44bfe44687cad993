// What the written fabrics are once SimGrid has loaded them. Each expectation is derived from the
// fabric's definition, not from what was written.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>

#include "base/error.hpp"
#include "base/processes.hpp"
#include "catalog/device_catalog.hpp"
#include "catalog/fabrics/fabric.hpp"
#include "catalog/write_platform.hpp"
#include "cluster/bisection.hpp"
#include "cluster/cluster.hpp"
#include "cluster_xml/check_platform_xml.hpp"

namespace rehearse {
namespace {

class WrittenPlatform {
 public:
  explicit WrittenPlatform(const PlatformRequest& request) {
    std::ofstream(path_) << platform_xml(request);
  }
  WrittenPlatform(const WrittenPlatform&) = delete;
  WrittenPlatform& operator=(const WrittenPlatform&) = delete;
  ~WrittenPlatform() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "written-" + std::to_string(getpid()) + ".xml";
};

PlatformRequest h100(const std::string& fabric, std::int64_t nodes, double oversubscription = 1) {
  PlatformRequest request;
  request.gpu = "h100";
  request.fabric = fabric;
  request.nodes = nodes;
  request.oversubscription = oversubscription;
  return request;
}

Cluster load(const PlatformRequest& request) {
  return load_cluster(WrittenPlatform(request).path());
}

std::string message_of(const PlatformRequest& request) {
  try {
    platform_xml(request);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::vector<double> bandwidths(Cluster& cluster, int from, int to) {
  std::vector<double> rates;
  for (const int link : cluster.route(from, to).links) {
    rates.push_back(cluster.links()[link].bandwidth.value / 1e9);
  }
  return rates;
}

// route() puts routes together; SimGrid's own must be the same, link by link. Over all pairs, in an
// order in which every zone pair is met with ends known, half known and not known.
void expect_routes_of_simgrid(Cluster& cluster) {
  const int gpus = static_cast<int>(cluster.platform().gpus.size());
  for (int shift = 1; shift < gpus; ++shift) {
    for (int from = 0; from < gpus; from += 1 + shift % 3) {
      const int to = (from + shift) % gpus;
      const Route composed = cluster.route(from, to);
      const Route own = cluster.route_in_simgrid(from, to);
      ASSERT_EQ(composed.links, own.links) << from << " to " << to;
      ASSERT_EQ(composed.latency.value, own.latency.value) << from << " to " << to;
    }
  }
}

int links_of(const Cluster& cluster, double gigabytes_per_second) {
  int count = 0;
  for (const Link& link : cluster.all_links()) {
    if (std::abs(link.bandwidth.value / 1e9 - gigabytes_per_second) < 1e-6) ++count;
  }
  return count;
}

struct Kind {
  std::string gpu;
  std::string fabric;
};
class EveryFabric : public testing::TestWithParam<Kind> {};

TEST_P(EveryFabric, LoadsWithTheGpusInTheOrderOfTheirNumbersAndTheSameBytesTwice) {
  PlatformRequest request = h100(GetParam().fabric, 4);
  request.gpu = GetParam().gpu;
  EXPECT_EQ(platform_xml(request), platform_xml(request));
  const DeviceSheet gpu = DeviceCatalog().find(request.gpu);
  const int domain = gpu.count(FigureId::kScaleUpGpus);
  const Cluster cluster = load(request);
  const Platform& platform = cluster.platform();
  ASSERT_EQ(platform.gpus.size(), static_cast<std::size_t>(4 * domain));
  ASSERT_EQ(platform.devices.size(), 1U);
  EXPECT_EQ(platform.device_of(0).peak.value, gpu.at(FigureId::kPeakBf16).value);
  for (int rank = 0; rank < 4 * domain; ++rank) {
    EXPECT_EQ(platform.gpus[rank].host, "gpu" + std::to_string(rank));
    EXPECT_EQ(platform.gpus[rank].port, "port" + std::to_string(rank));
    EXPECT_EQ(platform.gpus[rank].domain, rank / domain);
  }
}

TEST_P(EveryFabric, PutsRoutesTogetherAsSimgridFindsThem) {
  PlatformRequest request = h100(GetParam().fabric, 4);
  request.gpu = GetParam().gpu;
  Cluster cluster = load(request);
  expect_routes_of_simgrid(cluster);
}

std::vector<Kind> all_kinds() {
  std::vector<Kind> kinds;
  for (const char* const gpu : {"a100", "h100", "h200", "b200", "gb200-nvl72", "mi300x"}) {
    for (const Fabric& fabric : fabrics()) kinds.push_back({gpu, fabric.name});
  }
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(Catalog, EveryFabric, testing::ValuesIn(all_kinds()),
                         [](const auto& kind) {
                           std::string name = kind.param.gpu + "_" + kind.param.fabric;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Rail, OneSwitchInsideARailAndTheSpineBetweenRails) {
  Cluster cluster = load(h100("rail", 4, 2));
  // Node 0 to node 3: GPU 0 and GPU 24 are both at place 0, GPU 25 is at place 1. A rail has 4
  // GPUs, so its trunk is 4 x 50 GB/s / 2.
  EXPECT_EQ(bandwidths(cluster, 0, 7), (std::vector<double>{450, 450}));
  EXPECT_EQ(bandwidths(cluster, 0, 24), (std::vector<double>{50, 50}));
  EXPECT_EQ(bandwidths(cluster, 0, 25), (std::vector<double>{50, 100, 100, 50}));
  EXPECT_DOUBLE_EQ(cluster.route(0, 7).latency.value, 2 * 0.4e-6);
  EXPECT_DOUBLE_EQ(cluster.route(0, 24).latency.value, 2 * 1.35e-6);
  EXPECT_DOUBLE_EQ(cluster.route(0, 25).latency.value, 2 * 1.35e-6 + 2 * 0.13e-6);
  // 32 NVLinks, 32 NICs, 8 trunks, each both ways.
  EXPECT_EQ(links_of(cluster, 450), 64);
  EXPECT_EQ(links_of(cluster, 50), 64);
  EXPECT_EQ(links_of(cluster, 100), 16);
}

TEST(Rail, TheSpineDoesNotLimitTheBisectionOfNodes) {
  // Each GPU has its partner on its own rail: 16 GPUs x 50 GB/s, whatever the spine.
  Cluster cluster = load(h100("rail", 4, 8));
  EXPECT_NEAR(measure_bisection(cluster).bandwidth.value, 16 * 50e9, 1);
}

TEST(LeafSpine, SharesALeafAmongFourNodes) {
  Cluster cluster = load(h100("leaf-spine", 8, 2));
  // 64 GPUs on 2 leaves of 32, trunks of 32 x 50 GB/s / 2.
  EXPECT_EQ(bandwidths(cluster, 0, 31), (std::vector<double>{50, 50}));
  EXPECT_EQ(bandwidths(cluster, 0, 32), (std::vector<double>{50, 800, 800, 50}));
  EXPECT_EQ(links_of(cluster, 800), 4);
  const Bisection bisection = measure_bisection(cluster);
  EXPECT_EQ(bisection.cut, 32);
  EXPECT_NEAR(bisection.bandwidth.value, 32 * 50e9 / 2, 1);
}

TEST(LeafSpine, WithoutOversubscriptionOnlyTheNicsLimit) {
  Cluster cluster = load(h100("leaf-spine", 8));
  EXPECT_NEAR(measure_bisection(cluster).bandwidth.value, 32 * 50e9, 1);
}

TEST(LeafSpine, TheBisectionOfASampleOfRoutesIsThatOfAllRoutes) {
  // 32 nodes, 256 GPUs: more than 128, so 16 routes per GPU; 4 leaves on each side, trunks halved.
  Cluster cluster = load(h100("leaf-spine", 32, 2));
  const Bisection bisection = measure_bisection(cluster);
  EXPECT_EQ(bisection.routes, 128 * 16);
  EXPECT_NEAR(bisection.bandwidth.value, 128 * 50e9 / 2, 1);
}

TEST(LeafSpine, ALastLeafThatIsNotFullHasANarrowerTrunk) {
  Cluster cluster = load(h100("leaf-spine", 5));  // 32 + 8
  EXPECT_EQ(bandwidths(cluster, 0, 39), (std::vector<double>{50, 1600, 400, 50}));
}

TEST(FatTree, HasLeavesOf32AndAsManySpinesAsLinksUp) {
  Cluster cluster = load(h100("fat-tree", 8, 2));
  EXPECT_EQ(bandwidths(cluster, 0, 31), (std::vector<double>{50, 50}));
  EXPECT_EQ(bandwidths(cluster, 0, 32), (std::vector<double>{50, 50, 50, 50}));
  // 64 NICs and 2 x 16 links to the spines, each both ways.
  EXPECT_EQ(links_of(cluster, 50), 2 * (64 + 32));
  EXPECT_NEAR(measure_bisection(cluster).bandwidth.value, 16 * 50e9, 1);
  EXPECT_DOUBLE_EQ(cluster.route(0, 32).latency.value, 2 * 1.35e-6 + 2 * 0.13e-6);
}

TEST(Torus, CutsTheLongestRingTwice) {
  // 64 GPUs in 4 x 4 x 4, a sixth of the NIC per link. The halves meet in two planes of 16 links.
  Cluster cluster = load(h100("torus", 8));
  EXPECT_EQ(links_of(cluster, 50.0 / 6), 2 * 3 * 64);
  EXPECT_NEAR(measure_bisection(cluster).bandwidth.value, 2 * 16 * 50e9 / 6, 1);
  EXPECT_EQ(cluster.route(0, 42).links.size(), 6U);  // the far corner: 2 + 2 + 2
}

TEST(Dragonfly, JoinsEveryTwoGroupsByOneBundle) {
  // 16 servers: 4 groups of 4 routers with 8 GPUs. A bundle takes a quarter of a group's 32 NICs;
  // between two groups and two groups there are four bundles.
  Cluster cluster = load(h100("dragonfly", 16));
  EXPECT_EQ(links_of(cluster, 8 * 50), 2 * 6);
  EXPECT_NEAR(measure_bisection(cluster).bandwidth.value, 4 * 8 * 50e9, 1);
}

TEST(Mi300x, APairHasItsOwnWireAndAGpuSevenOfThem) {
  PlatformRequest request = h100("star", 1);
  request.gpu = "mi300x";
  Cluster cluster = load(request);
  EXPECT_EQ(bandwidths(cluster, 0, 1), (std::vector<double>{448, 64, 448}));
  // 4 GPUs to 4 GPUs over 16 wires of 64 GB/s.
  const Bisection bisection = measure_bisection(cluster);
  EXPECT_EQ(bisection.cut, 4);
  EXPECT_NEAR(bisection.bandwidth.value, 16 * 64e9, 1);
}

TEST(Nvl72, RacksOf72HaveFourRails) {
  PlatformRequest request = h100("rail", 2);
  request.gpu = "gb200-nvl72";
  Cluster cluster = load(request);
  EXPECT_EQ(bandwidths(cluster, 0, 71), (std::vector<double>{900, 900}));
  EXPECT_EQ(bandwidths(cluster, 0, 72), (std::vector<double>{50, 50}));  // both at place 0 of 4
  EXPECT_EQ(bandwidths(cluster, 0, 73), (std::vector<double>{50, 1800, 1800, 50}));
}

TEST(WritePlatform, ANodeOfOneGpuHasNoScaleUpFabric) {
  PlatformRequest request = h100("rail", 4);
  request.gpus_per_node = 1;
  request.nic = "25GBps";
  Cluster cluster = load(request);
  EXPECT_EQ(cluster.platform().gpus[0].domain, -1);
  EXPECT_EQ(bandwidths(cluster, 0, 3), (std::vector<double>{25, 25}));
}

TEST(WritePlatform, RefusesWhatMakesNoCluster) {
  EXPECT_EQ(
      message_of(h100("ring", 2)),
      "--fabric ring:1:10: error: unknown fabric \"ring\": one of star rail leaf-spine fat-tree "
      "torus dragonfly");
  EXPECT_EQ(message_of(h100("fat-tree", 8, 3)),
            "--oversubscription 3:1:20: error: a leaf of 32 GPUs needs a whole number of links "
            "upwards, not 10.666666666666666");
  EXPECT_EQ(message_of(h100("dragonfly", 7)),
            "--nodes 7:1:9: error: a dragonfly has groups of equal size, at least 2 x 2: give a "
            "number of nodes with two factors above 1");
  for (const char* fabric : {"fat-tree", "leaf-spine"}) {
    EXPECT_EQ(message_of(h100(fabric, 4, 2)),
              "--oversubscription 2:1:20: error: one switch joins all 32 GPUs: there is no tier to "
              "oversubscribe");
  }
  PlatformRequest prime = h100("fat-tree", 37);
  prime.gpus_per_node = 1;
  EXPECT_EQ(message_of(prime),
            "--nodes 37:1:9: error: a fat-tree has equal leaves, but 37 GPUs do not divide into 2 "
            "to 128 leaves of at least 32");
  PlatformRequest six = h100("rail", 2);
  six.gpu = "gb200-nvl72";
  six.gpus_per_node = 6;
  EXPECT_EQ(message_of(six),
            "--gpus-per-node 6:1:17: error: must be a multiple of the 4 GPUs of a server");
}

struct Size {
  std::string fabric;
  std::int64_t nodes;
  std::int64_t gpus_per_node;
};

PlatformRequest request_of(const Size& size) {
  PlatformRequest request = h100(size.fabric, size.nodes);
  request.gpus_per_node = size.gpus_per_node;
  return request;
}

// `platform --nodes 3 --gpus-per-node 1 --fabric torus` wrote what SimGrid cannot load: each size
// is refused at --nodes or loads, with all its GPUs.
TEST(EverySize, ThatIsWrittenLoads) {
  std::vector<Size> sizes;
  std::vector<std::function<std::string()>> jobs;
  for (const Fabric& fabric : fabrics()) {
    for (const std::int64_t gpus_per_node : {1, 3, 7, 8}) {
      for (const std::int64_t nodes : {1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 37, 64}) {
        const Size size{fabric.name, nodes, gpus_per_node};
        const std::string message = message_of(request_of(size));
        if (message != "accepted") {
          EXPECT_TRUE(message.starts_with("--nodes")) << message;
          continue;
        }
        sizes.push_back(size);
        jobs.emplace_back(
            [size] { return std::to_string(load(request_of(size)).platform().gpus.size()); });
      }
    }
  }
  ASSERT_GT(sizes.size(), 200U);
  const std::vector<JobResult> loaded = run_in_processes(jobs, 2);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(loaded[i].value(), std::to_string(sizes[i].nodes * sizes[i].gpus_per_node))
        << sizes[i].fabric << " " << sizes[i].nodes << " x " << sizes[i].gpus_per_node;
  }
}

// The largest: what is written passes the check of files.
TEST(EverySize, UpToTheLargestPassesTheCheck) {
  for (const Fabric& fabric : fabrics()) {
    for (const std::int64_t nodes : {1021, 4096, 32768, 65536, 131072}) {
      const PlatformRequest request = h100(fabric.name, nodes);
      const std::string message = message_of(request);
      if (message != "accepted") {
        EXPECT_TRUE(message.starts_with("--nodes")) << message;
        continue;
      }
      const WrittenPlatform written(request);
      EXPECT_EQ(check_platform_xml(written.path()).hosts, 2 * 8 * nodes) << fabric.name;
    }
  }
}

// At the ends of the bounds of a bandwidth, 1 B/s and 1 EB/s: written and read, or refused at
// --nic.
TEST(EveryNic, ThatIsWrittenIsRead) {
  for (const Fabric& fabric : fabrics()) {
    int written_ones = 0;
    for (const char* nic : {"0bps", "7bps", "8bps", "6Bps", "1000TBps", "1000000TBps", "1e7TBps"}) {
      PlatformRequest request = h100(fabric.name, 16);
      request.nic = nic;
      const std::string message = message_of(request);
      if (message == "accepted") {
        ++written_ones;
        const WrittenPlatform written(request);
        EXPECT_EQ(check_platform_xml(written.path()).hosts, 2 * 8 * 16)
            << fabric.name << " " << nic;
      } else {
        EXPECT_TRUE(message.starts_with("--nic")) << message;
      }
    }
    EXPECT_GE(written_ones, 2) << fabric.name;  // 6 B/s and 1000 TB/s are within, in all of them
  }
}

TEST(WrittenPlatforms, StateWhatAGpuCostsWithItsPartOfTheNetwork) {
  const auto cost = [](const PlatformRequest& request) {
    return cost_per_gpu(check_platform_xml(WrittenPlatform(request).path()));
  };
  PlatformRequest request = h100("star", 2);
  EXPECT_DOUBLE_EQ(*cost(request).usd_per_hour, 10);
  EXPECT_DOUBLE_EQ(*cost(request).watts, 700 + 54);
  request.usd_per_gpu_hour = 2.5;
  request.nic = "25GBps";  // of which no figure is known
  EXPECT_DOUBLE_EQ(*cost(request).usd_per_hour, 2.5);
  EXPECT_DOUBLE_EQ(*cost(request).watts, 700);
  request = h100("rail", 1);
  request.gpu = "gb200-nvl72";
  EXPECT_DOUBLE_EQ(*cost(request).watts, 1200 + 54 + 155);
  // A price is written where the device file has one.
  request = h100("star", 2);
  request.gpu = "l40s";
  EXPECT_FALSE(cost(request).usd_per_hour.has_value());
  EXPECT_DOUBLE_EQ(*cost(request).watts, 350);
}

// fault:P5: what nvidia-smi and rocm-smi print as the total, in bytes; the datasheets say 80, 80,
// 141, 180, 186 and 192 GB.
TEST(Capacity, IsWhatTheDriverReports) {
  const std::map<std::string, double> reported = {
      {"a100", 85899345920.0},          // 81,920 MiB x 1,048,576
      {"h100", 85520809984.0},          // 81,559 MiB
      {"h200", 150754820096.0},         // 143,771 MiB
      {"b200", 192265846784.0},         // 183,359 MiB
      {"gb200-nvl72", 198674743296.0},  // 189,471 MiB
      {"mi300x", 206141652992.0}};      // 196,592 MiB
  for (const auto& [gpu, bytes] : reported) {
    PlatformRequest request = h100("star", 2);
    request.gpu = gpu;
    const PlatformFile file = check_platform_xml(WrittenPlatform(request).path());
    EXPECT_EQ(file.gpus.front().device.memory.value, bytes) << gpu;
  }
}

}  // namespace
}  // namespace rehearse
