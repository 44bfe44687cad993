#include "cluster_xml/check_platform_xml.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "base/error.hpp"
#include "cluster_xml/xml_text.hpp"
#include "platform/bounds.hpp"
#include "source_dir.hpp"

namespace rehearse {
namespace {

const std::string kFolder = REHEARSE_SOURCE_DIR "/tests/cluster_xml/";

// bad/messages.txt: one line per file of the folder, "FILE:LINE:COL: error: MESSAGE".
std::map<std::string, std::string> expected_messages() {
  std::ifstream file(kFolder + "bad/messages.txt");
  std::map<std::string, std::string> messages;
  for (std::string line; std::getline(file, line);) {
    messages[line.substr(0, line.find(':'))] = line;
  }
  return messages;
}

std::string message_of(const std::string& path) {
  try {
    check_platform_xml(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

class BadPlatform : public testing::TestWithParam<std::string> {};

TEST_P(BadPlatform, IsRefusedWithThePlaceTheValueAndTheRule) {
  EXPECT_EQ(message_of(kFolder + "bad/" + GetParam()),
            kFolder + "bad/" + expected_messages()[GetParam()]);
}

std::vector<std::string> bad_files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder + "bad")) {
    if (entry.path().extension() == ".xml") names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Xml, BadPlatform, testing::ValuesIn(bad_files()), [](const auto& file) {
  return file.param.substr(0, file.param.size() - 4);
});

TEST(BadPlatforms, EachMessageHasItsFile) {
  EXPECT_EQ(expected_messages().size(), bad_files().size());
}

TEST(CheckPlatformXml, SaysWhyAFileCannotBeRead) {
  EXPECT_EQ(message_of("nowhere.xml"),
            "nowhere.xml:1:1: error: a platform cannot be read: No such file or directory");
  EXPECT_EQ(message_of("/"), "/:1:1: error: a platform cannot be read: it is a folder");
}

TEST(CheckPlatformXml, CountsEveryHostAndNotOnlyGpus) {
  // 16 GPUs and 16 ports.
  EXPECT_EQ(check_platform_xml(kFolder + "good/two_fabrics_fat_tree.xml").hosts, 32);
  EXPECT_EQ(check_platform_xml(kFolder + "good/star.xml").hosts, 9);
}

TEST(CheckPlatformXml, CountsAMillionHostsWithoutMakingThem) {
  const TemporaryXml file(gpu_cluster("gpus", "gpu", "0-1048575"));
  EXPECT_EQ(check_platform_xml(file.path()).hosts, 1'048'576);
}

// fault:A13: 1 kB that names 20 million GPUs took 7 GB.
TEST(CheckPlatformXml, RefusesMoreThanAMillionHosts) {
  const TemporaryXml file(gpu_cluster("gpus", "gpu", "0-1048576"));
  EXPECT_EQ(message_of(file.path()),
            file.path() +
                ":4:1: error: radical = \"0-1048576\" of cluster \"gpus\" names more than "
                "1048576 hosts");
}

// fault:A4: whoever walks the elements calls himself for each level.
TEST(CheckPlatformXml, RefusesElementsNestedTooDeep) {
  std::string zones;
  for (int i = 0; i < 20000; ++i) zones += "<zone id=\"z\" routing=\"Full\">";
  // Inside of <platform>, the 64th zone is too deep; each has 28 bytes.
  EXPECT_EQ(message_of(TemporaryXml(zones).path()).substr(9 + std::to_string(getpid()).size()),
            ".xml:4:1765: error: elements are nested more than 64 deep");
}

// SimGrid would make 23 million links of 24 hosts.
TEST(CheckPlatformXml, RefusesTreesOfTooManyLinks) {
  const TemporaryXml file(
      gpu_cluster("gpus", "gpu", "0-23", "50GBps",
                  "topology=\"FAT_TREE\" topo_parameters=\"2;24,1;1000000,1;1,1\""));
  EXPECT_EQ(message_of(file.path()),
            file.path() +
                ":4:1: error: topo_parameters = \"2;24,1;1000000,1;1,1\" of cluster "
                "\"gpus\" describe 2.5e+07 links: at most 8388608");
}

TEST(CheckPlatformXml, LeavesOtherPeoplesPropertiesAlone) {
  // <prop id="rack" value="A7"/> stands in this file.
  EXPECT_EQ(check_platform_xml(kFolder + "good/two_fabrics_fat_tree.xml").gpus.size(), 1U);
}

class AcceptedUnits : public testing::TestWithParam<const char*> {};

// What SimGrid 3.32 takes for a bandwidth: prefix x {Bps, bps}, blanks before the number,
// exponents.
TEST_P(AcceptedUnits, AreSimGridsOwn) {
  const TemporaryXml file(gpu_cluster("gpus", "gpu", "0-1", GetParam()));
  EXPECT_EQ(check_platform_xml(file.path()).hosts, 2);
}

INSTANTIATE_TEST_SUITE_P(Bandwidth, AcceptedUnits,
                         testing::Values("50GBps", "400Gbps", "1e-7YBps", "1.5e3MBps", "1KiBps",
                                         " 9bps", "0.5Eibps"));

// A host of one quantity after the other, as the file says it.
std::string host_with(PlatformQuantity quantity, const std::string& value) {
  const auto prop = [&](const std::string& id) {
    return "<prop id=\"" + id + "\" value=\"" + value + "\"/>";
  };
  std::string speed = "1Tf";
  std::string attributes;
  std::string properties = gpu_properties();
  std::string beside;
  const auto replaced = [&](const std::string& id) {
    const std::size_t at = properties.find("<prop id=\"" + id + "\"");
    properties.replace(at, properties.find("/>", at) + 2 - at, prop(id));
  };
  switch (quantity) {
    case PlatformQuantity::kBandwidth:
      replaced("memory_bandwidth");
      beside = "<link id=\"l\" bandwidth=\"" + value + "\" latency=\"0s\"/>";
      break;
    case PlatformQuantity::kLatency:
      beside = "<link id=\"l\" bandwidth=\"1GBps\" latency=\"" + value + "\"/>";
      break;
    case PlatformQuantity::kSpeed:
      beside = "<host id=\"no_gpu\" speed=\"" + value + "\"/>";
      break;
    case PlatformQuantity::kPeak:
      speed = value;
      properties += prop("peak_fp8") + prop("peak_int8") + prop("peak_fp4") + prop("peak_fp32");
      break;
    case PlatformQuantity::kMemory:
      replaced("memory");
      break;
    case PlatformQuantity::kEfficiency:
      replaced("compute_efficiency");
      replaced("memory_efficiency");
      properties += prop("network_share");
      break;
    case PlatformQuantity::kLaunch:
      replaced("kernel_launch");
      replaced("collective_launch");
      break;
    case PlatformQuantity::kPrice:
      properties += prop("price") + prop("link_price");
      break;
    case PlatformQuantity::kPower:
      properties += prop("power") + prop("link_power");
      break;
    case PlatformQuantity::kProtocolShare:
      properties += "<prop id=\"collectives\" value=\"nccl.ring.ll inside " + value + "\"/>";
      break;
    case PlatformQuantity::kComputeUnits:
      properties += prop("compute_units");
      break;
    case PlatformQuantity::kCores:
      attributes = " core=\"" + value + "\"";
      break;
  }
  return "<zone id=\"z\" routing=\"None\"><host id=\"g\" speed=\"" + speed + "\"" + attributes +
         ">" + properties + "</host>" + beside + "</zone>";
}

std::string message_with(PlatformQuantity quantity, const std::string& value) {
  const TemporaryXml file(host_with(quantity, value));
  return message_of(file.path());
}

// The text of a bound with another number: what stands before the unit.
std::string with_number(const std::string& text, const std::string& number) {
  return number + text.substr(text.find_first_not_of("0123456789."));
}

// Both ends are in, with the texts that the messages give; what is far beyond is not, and says so.
TEST(PlatformBounds, HoldForEveryQuantity) {
  for (const QuantityBound& bound : platform_bounds()) {
    const std::string least = bound.least_text;
    const std::string most = bound.most_text;
    EXPECT_EQ(message_with(bound.quantity, least), "accepted") << least;
    EXPECT_EQ(message_with(bound.quantity, most), "accepted") << most;
    const bool whole = bound.quantity == PlatformQuantity::kCores ||
                       bound.quantity == PlatformQuantity::kComputeUnits;
    if (whole) {
      EXPECT_NE(message_with(bound.quantity, "65536").find("must be at most 65535"),
                std::string::npos);
      continue;
    }
    const bool unit = most.find_first_not_of("0123456789.") != std::string::npos;
    const std::string high = unit ? with_number(most, "1e300") : "1e300";
    EXPECT_NE(message_with(bound.quantity, high).find("must be at most " + most), std::string::npos)
        << message_with(bound.quantity, high);
    if (bound.least == 0) continue;
    const std::string low = unit ? with_number(least, "1e-300") : "1e-300";
    EXPECT_NE(message_with(bound.quantity, low).find("must be at least " + least),
              std::string::npos)
        << message_with(bound.quantity, low);
  }
  EXPECT_NE(message_with(PlatformQuantity::kComputeUnits, "0").find("must be at least 1"),
            std::string::npos);
  EXPECT_NE(message_with(PlatformQuantity::kPrice, "infUSD/h").find("must be at most"),
            std::string::npos);
}

// Every attribute that holds a bandwidth or a latency, not only a link's.
TEST(PlatformBounds, HoldForEveryAttribute) {
  for (const char* attribute :
       {"bb_bw=\"1e300GBps\"", "loopback_bw=\"1e300GBps\"", "limiter_link=\"1e300GBps\"",
        "bb_bw=\"1GBps\" bb_lat=\"1e300s\"", "loopback_bw=\"1GBps\" loopback_lat=\"1e300s\""}) {
    const TemporaryXml file(gpu_cluster("gpus", "gpu", "0-1", "1GBps", attribute));
    EXPECT_NE(message_of(file.path()).find("must be at most"), std::string::npos) << attribute;
  }
}

Device device_with(const std::string& properties) {
  const TemporaryXml file("<zone id=\"z\" routing=\"Full\"><host id=\"g\" speed=\"1Tf\">" +
                          gpu_properties() + properties + "</host></zone>");
  return check_platform_xml(file.path()).gpus.at(0).device;
}

TEST(CheckPlatformXml, ReadsWhatAGpuIs) {
  const Device device = device_with(
      "<prop id=\"gpu\" value=\"h100\"/><prop id=\"vendor\" value=\"nvidia\"/>"
      "<prop id=\"architecture\" value=\"hopper\"/><prop id=\"scale_up\" value=\"switch\"/>");
  EXPECT_EQ(device.gpu, "h100");
  EXPECT_EQ(device.vendor, "nvidia");
  EXPECT_EQ(device.architecture, "hopper");
  EXPECT_EQ(device.scale_up, ScaleUpTopology::kSwitch);
  const Device silent = device_with("");
  EXPECT_TRUE(silent.gpu.empty() && silent.vendor.empty() && silent.architecture.empty());
  EXPECT_FALSE(silent.scale_up);
  EXPECT_NE(device, silent);
}

TEST(CheckPlatformXml, ReadsWhatCollectivesReach) {
  const Device device = device_with(
      "<prop id=\"network_share\" value=\"0.6\"/><prop id=\"collectives\" value=\"nccl.ring.ll "
      "inside 0.278 across 0.5 launch 1s fill 2s step_inside 4s step_across 8s copy 0.253;  "
      "nccl.message assumed fill 3s\"/>");
  EXPECT_EQ(device.network_share, 0.6);
  ASSERT_EQ(device.collectives.size(), 2U);
  const ProtocolCosts expected{.inside = 0.278,
                               .across = 0.5,
                               .launch = Seconds{1},
                               .fill = {2},
                               .step_inside = {4},
                               .step_across = {8},
                               .copy = 0.253,
                               .assumed = false};
  EXPECT_EQ(device.collectives.at("nccl.ring.ll"), expected);
  ProtocolCosts message;  // what is not said costs nothing
  message.fill = {3};
  message.assumed = true;
  EXPECT_EQ(device.collectives.at("nccl.message"), message);
  EXPECT_FALSE(device_with("").network_share);
  EXPECT_NE(device, device_with("<prop id=\"network_share\" value=\"0.6\"/>"));
}

// Too few letters to tell a slip from another word.
TEST(CheckPlatformXml, TakesACpuForNoMisspeltGpu) {
  EXPECT_EQ(device_with("<prop id=\"cpu\" value=\"epyc\"/>"), device_with(""));
}

TEST(CheckPlatformXml, ASpeedIsThatOfTheChosenPstate) {
  const TemporaryXml file(
      "<zone id=\"z\" routing=\"Full\"><host id=\"g\" speed=\"1Tf, 2teraflops\" pstate=\"1\">" +
      gpu_properties() + "</host></zone>");
  EXPECT_EQ(check_platform_xml(file.path()).gpus.at(0).device.peak.value, 2e12);
}

}  // namespace
}  // namespace rehearse
