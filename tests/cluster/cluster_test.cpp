// Each case loads one platform: SimGrid allows one simulation per process, and ctest runs each case
// in a process of its own.
#include "cluster/cluster.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <simgrid/s4u.hpp>
#include <stdexcept>

#include "base/error.hpp"
#include "cluster_xml/xml_text.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

const std::string kGood = REHEARSE_SOURCE_DIR "/tests/cluster_xml/good/";
const std::string kShipped = REHEARSE_SOURCE_DIR "/platforms/";

std::vector<std::string> names_of(const Cluster& cluster, const Route& route) {
  std::vector<std::string> names;
  for (const int link : route.links) names.push_back(cluster.links().at(link).name);
  return names;
}

// The rate of a flow alone on the route.
double bottleneck(const Cluster& cluster, const Route& route) {
  double least = INFINITY;
  for (const int link : route.links) {
    least = std::min(least, cluster.links().at(link).bandwidth.value);
  }
  return least;
}

// When each message, sent at time 0 between SimGrid hosts, has arrived.
struct Message {
  std::string from;
  std::string to;
  Bytes size;
};
std::vector<double> arrivals(const std::vector<Message>& messages) {
  namespace s4u = simgrid::s4u;
  static int token = 0;
  std::vector<double> times(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    s4u::Mailbox* box = s4u::Mailbox::by_name("message" + std::to_string(i));
    const auto size = static_cast<std::uint64_t>(messages[i].size.value);
    s4u::Actor::create("send", s4u::Host::by_name(messages[i].from),
                       [box, size] { box->put(&token, size); });
    s4u::Actor::create("receive", s4u::Host::by_name(messages[i].to), [box, &time = times[i]] {
      box->get<int>();
      time = s4u::Engine::get_clock();
    });
  }
  s4u::Engine::get_instance()->run();
  return times;
}

TEST(PlanAssumedPlatform, HasThePlansGpus) {
  const Cluster cluster = load_cluster(kShipped + "plan-24gpu-assumed.xml");
  ASSERT_EQ(cluster.platform().gpus.size(), 24U);
  ASSERT_EQ(cluster.platform().devices.size(), 1U);
  const Device expected{.peak = {400e12},
                        .peak_fp8 = {0},
                        .peak_int8 = {0},
                        .peak_fp4 = {0},
                        .peak_fp32 = {0},
                        .compute_efficiency = 0.60,
                        .memory = {64e9},
                        .memory_bandwidth = {1.8e12},
                        .memory_efficiency = 0.80,
                        .kernel_launch = {0},
                        .collective_launch = {0}};
  EXPECT_EQ(cluster.platform().devices[0], expected);
  for (int gpu = 0; gpu < 24; ++gpu) {
    EXPECT_EQ(cluster.platform().gpus[gpu].host, "gpu" + std::to_string(gpu));
    EXPECT_EQ(cluster.platform().gpus[gpu].domain, -1);
    EXPECT_EQ(cluster.platform().gpus[gpu].port, "");
  }
}

TEST(PlanAssumedPlatform, EveryPairHas1440GBpsThatNobodyShares) {
  Cluster cluster = load_cluster(kShipped + "plan-24gpu-assumed.xml");
  for (int from = 0; from < 24; ++from) {
    for (int to = 0; to < 24; ++to) {
      if (from == to) continue;
      const Route route = cluster.route(from, to);
      EXPECT_EQ(route.latency.value, 0);
      EXPECT_EQ(bottleneck(cluster, route), 1.44e12);
      for (const int index : route.links) {
        const Link& link = cluster.links().at(index);
        // What is shared has room for all 23 messages of a GPU at once.
        if (link.shared) {
          EXPECT_GE(link.bandwidth.value, 23 * 1.44e12) << link.name;
        } else {
          EXPECT_EQ(link.bandwidth.value, 1.44e12) << link.name;
        }
      }
    }
  }
}

TEST(PlanAssumedPlatform, MessagesOutOfOneGpuDoNotSlowEachOther) {
  const Cluster cluster = load_cluster(kShipped + "plan-24gpu-assumed.xml");
  // 1.44 GB at 1.44 TB/s and no latency: 1 ms each, also when all 23 leave gpu0 at once.
  std::vector<Message> messages;
  for (int to = 1; to < 24; ++to) {
    messages.push_back({"gpu0", "gpu" + std::to_string(to), {1.44e9}});
  }
  for (const double time : arrivals(messages)) EXPECT_NEAR(time, 1e-3, 1e-15);
}

TEST(PlanNvlinkPlatform, HasThreeNodesOfEightWithLaunchCosts) {
  const Cluster cluster = load_cluster(kShipped + "plan-24gpu-nvlink.xml");
  ASSERT_EQ(cluster.platform().gpus.size(), 24U);
  const Device& device = cluster.platform().device_of(0);
  EXPECT_EQ(device.peak.value, 400e12);
  EXPECT_EQ(device.compute_efficiency, 0.60);
  EXPECT_EQ(device.memory.value, 64e9);
  EXPECT_EQ(device.memory_bandwidth.value, 1.8e12);
  EXPECT_EQ(device.memory_efficiency, 0.80);
  EXPECT_DOUBLE_EQ(device.kernel_launch.value, 3.5e-6);
  EXPECT_DOUBLE_EQ(device.collective_launch.value, 4.5e-6);
  for (int gpu = 0; gpu < 24; ++gpu) {
    EXPECT_EQ(cluster.platform().gpus[gpu].domain, gpu / 8);
    EXPECT_EQ(cluster.platform().gpus[gpu].port, "port" + std::to_string(gpu));
  }
}

TEST(PlanNvlinkPlatform, RoutesANodeThroughNvlinkAndTheRestThroughNics) {
  Cluster cluster = load_cluster(kShipped + "plan-24gpu-nvlink.xml");
  const Route inside = cluster.route(0, 7);
  EXPECT_EQ(names_of(cluster, inside),
            (std::vector<std::string>{"nvlink_link_0_UP", "nvlink_link_7_DOWN"}));
  EXPECT_EQ(bottleneck(cluster, inside), 450e9);
  EXPECT_DOUBLE_EQ(inside.latency.value, 2 * 0.4e-6);  // up and down
  const Route across = cluster.route(7, 8);
  EXPECT_EQ(names_of(cluster, across),
            (std::vector<std::string>{"infiniband_link_7_UP", "infiniband_link_8_DOWN"}));
  EXPECT_EQ(bottleneck(cluster, across), 50e9);
  EXPECT_DOUBLE_EQ(across.latency.value, 2 * 1.35e-6);
  for (const Link& link : cluster.links()) EXPECT_TRUE(link.shared) << link.name;
}

TEST(PlanNvlinkPlatform, ANicIsSharedPerDirection) {
  const Cluster cluster = load_cluster(kShipped + "plan-24gpu-nvlink.xml");
  // Out of gpu0's NIC two messages of 50 MB share 50 GB/s: 2 ms. Into it a third has all: 1 ms. Who
  // sends waits for latencies: SimGrid has none.
  const std::vector<double> times =
      arrivals({{"gpu0", "gpu8", {50e6}}, {"gpu0", "gpu9", {50e6}}, {"gpu16", "gpu0", {50e6}}});
  EXPECT_NEAR(times[0], 2e-3, 1e-9);
  EXPECT_NEAR(times[1], 2e-3, 1e-9);
  EXPECT_NEAR(times[2], 1e-3, 1e-9);
}

TEST(Cluster, TwoFabricsJoinDomainsByPortsAndOthersByTheFatTree) {
  Cluster cluster = load_cluster(kGood + "two_fabrics_fat_tree.xml");
  EXPECT_EQ(cluster.platform().gpus[15].domain, 1);
  EXPECT_EQ(cluster.platform().devices.at(0).peak_fp8.value, 1979e12);
  const Route inside = cluster.route(8, 15);
  EXPECT_EQ(inside.links.size(), 2U);
  EXPECT_EQ(bottleneck(cluster, inside), 450e9);
  EXPECT_DOUBLE_EQ(inside.latency.value, 2 * 250e-9);
  // Two levels of four: 0 and 8 stand under different leaves, so up, up, down, down.
  const Route across = cluster.route(0, 8);
  EXPECT_EQ(across.links.size(), 4U);
  EXPECT_EQ(bottleneck(cluster, across), 50e9);
  EXPECT_DOUBLE_EQ(across.latency.value, 4e-6);
}

TEST(Cluster, AStarHasTheOrderOfItsRadical) {
  Cluster cluster = load_cluster(kGood + "star.xml");
  ASSERT_EQ(cluster.platform().gpus.size(), 9U);
  EXPECT_EQ(cluster.platform().gpus[8].host, "gpu12");
  EXPECT_EQ(names_of(cluster, cluster.route(8, 0)),
            (std::vector<std::string>{"gpus_link_12_UP", "gpus_link_0_DOWN"}));
}

TEST(Cluster, ASingleFabricTakesDomainsFromNodeAndRoutesFromTheFile) {
  Cluster cluster = load_cluster(kGood + "floyd_nodes.xml");
  EXPECT_EQ(cluster.platform().gpus[1].domain, 0);
  EXPECT_EQ(cluster.platform().gpus[2].domain, 1);
  EXPECT_EQ(cluster.platform().gpus[2].port, "");
  EXPECT_EQ(names_of(cluster, cluster.route(0, 1)),
            (std::vector<std::string>{"nv0_UP", "nv1_DOWN"}));
  const Route across = cluster.route(1, 2);
  EXPECT_EQ(names_of(cluster, across),
            (std::vector<std::string>{"nv1_UP", "nic0_UP", "nic1_DOWN", "nv2_DOWN"}));
  EXPECT_EQ(bottleneck(cluster, across), 400e9 / 8);  // 400Gbps
  EXPECT_DOUBLE_EQ(across.latency.value, 2 * 250e-9 + 2 * 1e-6);
}

TEST(Cluster, ExplicitRoutesAndKindsOfGpusAreThoseOfTheFile) {
  Cluster cluster = load_cluster(kGood + "full.xml");
  // In file order b, a, c, although SimGrid sorts hosts by name.
  EXPECT_EQ(cluster.platform().gpus[0].host, "b");
  EXPECT_EQ(cluster.platform().gpus[1].host, "a");
  ASSERT_EQ(cluster.platform().devices.size(), 2U);
  EXPECT_EQ(cluster.platform().device_of(2).peak.value, 2e15);  // "2e6Gf, 1Tf": the first
  EXPECT_EQ(cluster.platform().device_of(2).memory.value, 96e9);
  const Route fat = cluster.route(0, 2);
  EXPECT_EQ(names_of(cluster, fat), std::vector<std::string>{"bc"});
  EXPECT_FALSE(cluster.links()[fat.links[0]].shared);
  EXPECT_EQ(names_of(cluster, cluster.route(1, 2)), (std::vector<std::string>{"ab", "ca"}));
}

TEST(Cluster, ALinkKeepsItsIndex) {
  Cluster cluster = load_cluster(kGood + "star.xml");
  const Route first = cluster.route(0, 1);
  const std::size_t known = cluster.links().size();
  EXPECT_EQ(cluster.route(0, 1).links, first.links);
  EXPECT_EQ(cluster.links().size(), known);
  EXPECT_EQ(cluster.route(0, 2).links[0], first.links[0]);  // the same way up
}

TEST(Cluster, ZonesBehindGatewaysAreRouted) {
  Cluster cluster = load_cluster(kGood + "zones.xml");
  EXPECT_EQ(names_of(cluster, cluster.route(0, 1)),
            (std::vector<std::string>{"nic0", "spine", "nic1"}));
}

TEST(Cluster, WhatOnlySimGridFindsIsAnInputErrorWithItsLine) {
  // The check knows the links of a cluster by their start only.
  const TemporaryXml file("<zone id=\"z\" routing=\"Full\">\n" + gpu_cluster("a", "a", "0-1") +
                          "\n" + gpu_cluster("b", "b", "0-1") +
                          "\n<zoneRoute src=\"a\" dst=\"b\" gw_src=\"aa_router\" "
                          "gw_dst=\"bb_router\"><link_ctn id=\"a_link_9\"/></zoneRoute></zone>");
  try {
    load_cluster(file.path());
    FAIL() << "a_link_9 was found";
  } catch (const InputError& error) {
    EXPECT_EQ(error.what(), file.path() +
                                ":1:1: error: SimGrid cannot load this platform: Link not found: "
                                "a_link_9");
  }
}

TEST(Cluster, PrintsNothing) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  {
    Cluster cluster = load_cluster(kGood + "two_fabrics_fat_tree.xml");
    cluster.route(0, 1);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

}  // namespace
}  // namespace rehearse
