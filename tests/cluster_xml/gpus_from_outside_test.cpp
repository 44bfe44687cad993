#include "cluster_xml/gpus_from_outside.hpp"

#include <gtest/gtest.h>

#include "cluster_xml/check_platform_xml.hpp"
#include "cluster_xml/xml_text.hpp"
#include "platform/gpus_at.hpp"

namespace rehearse {
namespace {

GpusAt gpu(const std::string& pattern, const std::string& speed = "989Tf") {
  return {pattern + "=h100",
          pattern,
          speed,
          {{"memory", "80GB"},
           {"memory_bandwidth", "3.35TBps"},
           {"compute_efficiency", "0.8"},
           {"memory_efficiency", "0.86"},
           {"kernel_launch", "4us"},
           {"collective_launch", "5us"}}};
}

TEST(Pattern, HasStarsForAnyCharacters) {
  EXPECT_TRUE(matches("*", "CUDA0"));
  EXPECT_TRUE(matches("CUDA*", "CUDA0"));
  EXPECT_TRUE(matches("CUDA*", "CUDA"));
  EXPECT_TRUE(matches("*-gpu*.site", "node1-gpu3.site"));
  EXPECT_TRUE(matches("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(matches("gpu0", "gpu0"));
  EXPECT_FALSE(matches("gpu0", "gpu01"));
  EXPECT_FALSE(matches("CUDA*", "CPU0"));
  EXPECT_FALSE(matches("a*b*c", "a-c-b"));
  EXPECT_FALSE(matches("*x", "CUDA0"));
  EXPECT_FALSE(matches("", "CUDA0"));
}

// A box as a task runtime writes it: memory, a CPU, two GPUs.
constexpr const char* kBox =
    "<AS id=\"box\" routing=\"Full\"><host id=\"RAM\" speed=\"1f\"/><host id=\"CUDA0\" "
    "speed=\"4Tf\"><prop id=\"memsize\" value=\"12000000000\"/></host><host id=\"CUDA1\" "
    "speed=\"4Tf,2Tf\" pstate=\"1\"/><link id=\"l\" bandwidth=\"10GBps\" latency=\"12us\"/>"
    "<route src=\"CUDA0\" dst=\"CUDA1\"><link_ctn id=\"l\"/></route>"
    "<route src=\"RAM\" dst=\"CUDA0\"><link_ctn id=\"l\"/></route>"
    "<route src=\"RAM\" dst=\"CUDA1\"><link_ctn id=\"l\"/></route></AS>";

PlatformFile read(const TemporaryXml& file, const std::vector<GpusAt>& gpus_at) {
  return check_platform_xml(file.path(), gpus_at);
}

std::string message_of(const TemporaryXml& file, const std::vector<GpusAt>& gpus_at) {
  try {
    read(file, gpus_at);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(GpusFromOutside, AreTheHostsOfThePatternWithTheSpeedOfTheGpu) {
  const TemporaryXml file(kBox);
  const PlatformFile read_file = read(file, {gpu("CUDA*")});
  ASSERT_EQ(read_file.gpus.size(), 2U);
  EXPECT_EQ(read_file.hosts, 3);
  EXPECT_EQ(read_file.gpus[0].names.prefix, "CUDA0");
  for (const GpuHosts& each : read_file.gpus) {
    EXPECT_EQ(each.device.peak.value, 989e12);
    EXPECT_EQ(each.device.memory.value, 80e9);
  }
}

// A host says its owner's price, and the vendor's full name.
TEST(GpusFromOutside, SayWhatTheHostSaysOtherwise) {
  const TemporaryXml file(
      "<zone id=\"z\" routing=\"Full\"><host id=\"g\" speed=\"1f\"><prop id=\"vendor\" "
      "value=\"NVIDIA Corporation\"/><prop id=\"price\" value=\"low\"/><prop id=\"cpu\" "
      "value=\"epyc\"/></host></zone>");
  GpusAt named = gpu("g");
  named.properties.emplace_back("vendor", "nvidia");
  named.properties.emplace_back("price", "10USD/h");
  const PlatformFile read_file = read(file, {named});
  EXPECT_EQ(read_file.gpus.at(0).device.vendor, "nvidia");
  EXPECT_EQ(read_file.gpus[0].cost.usd_per_hour, 10);
}

TEST(GpusFromOutside, MayBeOfSeveralKindsTheFirstThatMatches) {
  const TemporaryXml file(kBox);
  const PlatformFile read_file = read(file, {gpu("CUDA1", "312Tf"), gpu("CUDA*")});
  EXPECT_EQ(read_file.gpus[0].device.peak.value, 989e12);
  EXPECT_EQ(read_file.gpus[1].device.peak.value, 312e12);
}

// SimGrid allows a <cabinet> no properties.
TEST(GpusFromOutside, AreTheHostsOfACabinet) {
  const TemporaryXml file(
      "<zone id=\"z\" routing=\"Cluster\"><cabinet id=\"c\" prefix=\"n\" suffix=\"\" "
      "speed=\"300Tf\" bw=\"25GBps\" lat=\"1us\" radical=\"0-7\"/><backbone id=\"b\" "
      "bandwidth=\"200GBps\" latency=\"1us\"/></zone>");
  const PlatformFile read_file = read(file, {gpu("*")});
  ASSERT_EQ(read_file.gpus.size(), 1U);
  EXPECT_EQ(read_file.gpus[0].names.count(), 8);
}

TEST(GpusFromOutside, AreNotThePortsOfAScaleUpFabric) {
  const TemporaryXml file(
      "<zone id=\"z\" routing=\"Full\"><cluster id=\"a\" prefix=\"gpu\" suffix=\"\" "
      "radical=\"0-1\" speed=\"1f\" bw=\"25GBps\" lat=\"1us\"/><cluster id=\"b\" prefix=\"port\" "
      "suffix=\"\" radical=\"0-1\" speed=\"1f\" bw=\"25GBps\" lat=\"1us\"><prop id=\"domain\" "
      "value=\"2\"/></cluster></zone>");
  const PlatformFile read_file = read(file, {gpu("*")});
  ASSERT_EQ(read_file.gpus.size(), 1U);
  EXPECT_EQ(read_file.gpus[0].names.prefix, "gpu");
  EXPECT_EQ(read_file.ports->names.count(), 2);
}

TEST(GpusFromOutside, AreRefusedWhereTheyAreNotOrArePartOfACluster) {
  const TemporaryXml box(kBox);
  EXPECT_EQ(
      message_of(box, {gpu("cuda*")}),
      "--gpu-at cuda*=h100:1:10: error: no host is left for \"cuda*\": the file has RAM CUDA0 "
      "CUDA1");
  EXPECT_EQ(
      message_of(box, {gpu("CUDA*"), gpu("CUDA1")}),
      "--gpu-at CUDA1=h100:1:10: error: no host is left for \"CUDA1\": the file has RAM CUDA0 "
      "CUDA1");
}

TEST(GpusFromOutside, AreRefusedForPartOfACluster) {
  const TemporaryXml file(
      "<cluster id=\"c\" prefix=\"n\" suffix=\"\" radical=\"0-10\" speed=\"1f\" bw=\"25GBps\" "
      "lat=\"1us\"/>");
  EXPECT_EQ(message_of(file, {gpu("n1*")}),
            file.path() +
                ":4:1: error: --gpu-at n1*=h100 is for 2 of the 11 hosts of cluster \"c\": "
                "give all of them the same GPU");
}

TEST(GpusFromOutside, AreRefusedWhereTheFileHasGpus) {
  const TemporaryXml file(gpu_cluster("gpus", "gpu", "0-1"));
  EXPECT_EQ(message_of(file, {gpu("gpu*")}),
            file.path() +
                ":4:1: error: --gpu-at gpu*=h100 is for cluster \"gpus\", which has the "
                "properties of a GPU in the file");
}

// All that is missing, not one after the other.
TEST(MissingProperties, AreNamedTogether) {
  const TemporaryXml file(
      "<cluster id=\"c\" prefix=\"n\" suffix=\"\" radical=\"0-1\" speed=\"1f\" bw=\"25GBps\" "
      "lat=\"1us\"><prop id=\"memory\" value=\"80GB\"/></cluster>");
  EXPECT_EQ(message_of(file, {}),
            file.path() +
                ":4:1: error: cluster \"c\" has no <prop id=\"memory_bandwidth\">: the "
                "memory's bandwidth, for example \"3.35TBps\"; nor compute_efficiency, "
                "memory_efficiency, kernel_launch, collective_launch");
}

}  // namespace
}  // namespace rehearse
