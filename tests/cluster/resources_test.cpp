// What one can buy in a platform, and the cluster with one of it faster. SimGrid allows one
// platform per process: each case loads one.
#include "cluster_xml/resources.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>

#include "base/processes.hpp"
#include "cluster/cluster.hpp"
#include "cluster_xml/check_platform_xml.hpp"
#include "cluster_xml/xml_text.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

const std::string kPlatforms = REHEARSE_SOURCE_DIR "/platforms/";
const std::string kGood = REHEARSE_SOURCE_DIR "/tests/cluster_xml/good/";

std::vector<std::string> resources_of(const std::string& path) {
  return check_platform_xml(path).resources.names;
}

TEST(Resources, AreWhatOneCanBuy) {
  // A port's speed is no compute.
  EXPECT_EQ(
      resources_of(kPlatforms + "plan-24gpu-nvlink.xml"),
      (std::vector<std::string>{"FLOP/s", "infiniband links", "memory bandwidth", "nvlink links"}));
  EXPECT_EQ(
      resources_of(kPlatforms + "plan-24gpu-assumed.xml"),
      (std::vector<std::string>{"FLOP/s", "gpus links", "gpus backbone", "memory bandwidth"}));
}

TEST(Resources, JoinLinksThatDifferInTheirNumbers) {
  for (const std::string& resource : resources_of(kGood + "zones.xml")) {
    EXPECT_EQ(resource.find_first_of("0123456789"), std::string::npos) << resource;
  }
}

// Links by their bandwidth in GB/s.
std::map<double, int> links_of(const Cluster& cluster) {
  std::map<double, int> count;
  for (const Link& link : cluster.all_links()) ++count[link.bandwidth.value / 1e9];
  return count;
}

// plan-24gpu-nvlink.xml: 24 GPUs of 400 TFLOP/s and 1.8 TB/s, each with a link of 50 GB/s in both
// directions, and 24 ports with one of 450 GB/s.
TEST(Faster, LinksOfAClusterAndNothingElse) {
  const Cluster cluster = load_cluster(kPlatforms + "plan-24gpu-nvlink.xml", {"nvlink links", 2});
  EXPECT_EQ(links_of(cluster), (std::map<double, int>{{50, 48}, {900, 48}}));
  EXPECT_EQ(cluster.platform().devices.at(0).peak.value, 400e12);
  EXPECT_EQ(cluster.platform().devices.at(0).memory_bandwidth.value, 1.8e12);
}

TEST(Faster, OneClusterOfTwo) {
  const Cluster cluster =
      load_cluster(kPlatforms + "plan-24gpu-nvlink.xml", {"infiniband links", 0.5});
  EXPECT_EQ(links_of(cluster), (std::map<double, int>{{25, 48}, {450, 48}}));
}

TEST(Faster, MemoryBandwidth) {
  const Cluster cluster =
      load_cluster(kPlatforms + "plan-24gpu-nvlink.xml", {"memory bandwidth", 2});
  EXPECT_EQ(cluster.platform().devices.at(0).memory_bandwidth.value, 3.6e12);
  EXPECT_EQ(cluster.platform().devices.at(0).peak.value, 400e12);
  EXPECT_EQ(links_of(cluster), (std::map<double, int>{{50, 48}, {450, 48}}));
}

// A backbone for every message: one link, and the clusters' own stay.
TEST(Faster, TheBackboneAlone) {
  const Cluster cluster = load_cluster(kPlatforms + "plan-24gpu-assumed.xml", {"gpus backbone", 2});
  // 24 links of 1 EB/s in both directions, the backbone of 1.44 TB/s.
  EXPECT_EQ(links_of(cluster), (std::map<double, int>{{2880, 1}, {1e9, 48}}));
}

// fault:C2: of several speeds the one that the run uses.
TEST(Faster, TheSpeedThatIsChosen) {
  const TemporaryXml zone(
      "<zone id=\"z\" routing=\"None\"><host id=\"gpu\" speed=\"1Tf, 400Tf\" "
      "pstate=\"1\">" +
      gpu_properties() + "</host></zone>");
  const Cluster cluster = load_cluster(zone.path(), {"FLOP/s", 1.1});
  EXPECT_DOUBLE_EQ(cluster.platform().devices.at(0).peak.value, 440e12);
}

// A tree's links have names of SimGrid's own making: they are all of the cluster.
TEST(Faster, LinksOfATree) {
  const TemporaryXml file(gpu_cluster("fabric", "gpu", "0-15", "50GBps",
                                      "topology=\"FAT_TREE\" topo_parameters=\"2;4,4;1,2;1,1\""));
  const Cluster cluster = load_cluster(file.path(), {"fabric links", 2});
  const std::map<double, int> links = links_of(cluster);
  ASSERT_EQ(links.size(), 1U);
  EXPECT_EQ(links.begin()->first, 100);
}

// SimGrid finds the links of every family of every platform that we accept.
TEST(Faster, EveryResourceOfEveryGoodPlatform) {
  std::vector<std::string> named;
  std::vector<std::function<std::string()>> jobs;
  const auto total = [](const std::string& path, const Faster& faster) {
    const Cluster cluster = load_cluster(path, faster);
    double sum = 0;
    for (const Link& link : cluster.all_links()) sum += link.bandwidth.value;
    return std::to_string(sum);
  };
  for (const auto& entry : std::filesystem::directory_iterator(kGood)) {
    const std::string path = entry.path();
    for (const std::string& resource : resources_of(path)) {
      if (!resource.ends_with(" links") && !resource.ends_with(" backbone")) continue;
      named.push_back(fmt::format("{}: {}", path, resource));
      jobs.emplace_back([=] { return total(path, {}); });
      jobs.emplace_back([=] { return total(path, {resource, 2}); });
    }
  }
  ASSERT_FALSE(named.empty());
  const std::vector<JobResult> totals = run_in_processes(jobs, 2);
  for (std::size_t i = 0; i < named.size(); ++i) {
    EXPECT_GT(std::stod(totals[2 * i + 1].value()), std::stod(totals[2 * i].value())) << named[i];
  }
}

// <link>s by themselves, SPLITDUPLEX ones in both directions.
TEST(Faster, LinksByThemselves) {
  const TemporaryXml file(
      "<zone id=\"z\" routing=\"Full\"><host id=\"a\" speed=\"1Tf\">" + gpu_properties() +
      "</host><host id=\"b\" speed=\"1Tf\">" + gpu_properties() +
      "</host><link id=\"wire1\" bandwidth=\"10GBps\" latency=\"0s\" "
      "sharing_policy=\"SPLITDUPLEX\"/>"
      "<link id=\"other\" bandwidth=\" 20GBps\" latency=\"0s\"/>"
      "<route src=\"a\" dst=\"b\"><link_ctn id=\"wire1\" direction=\"UP\"/><link_ctn id=\"other\"/>"
      "</route></zone>");
  EXPECT_EQ(resources_of(file.path()),
            (std::vector<std::string>{"FLOP/s", "memory bandwidth", "wire links", "other links"}));
  const Cluster cluster = load_cluster(file.path(), {"wire links", 2});
  EXPECT_EQ(links_of(cluster), (std::map<double, int>{{20, 3}}));  // two of the wire, one other
}

}  // namespace
}  // namespace rehearse
