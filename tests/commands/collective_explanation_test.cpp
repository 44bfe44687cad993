// What --explain says is full, and the terms of a time.
#include "commands/collective_explanation.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "catalog/write_platform.hpp"
#include "cluster/cluster.hpp"

namespace rehearse {
namespace {

CollectiveRequest of(CollectiveOp op, const char* algorithm, int ranks, int channels = 0) {
  CollectiveRequest request;
  request.op = op;
  request.use.library = &textbook_library();
  request.use.algorithms[static_cast<int>(op)] = algorithm_named(op, algorithm);
  request.use.channels = channels;
  request.sizes = {Bytes{1e9}};
  request.ranks = ranks;
  return request;
}

std::string explained(const PlatformRequest& platform, const CollectiveRequest& request) {
  const MemoryFile file(platform_xml(platform));
  Cluster cluster = load_cluster(file.path());
  return explain_collectives(request, run_collectives(request, cluster), cluster);
}

PlatformRequest servers(const char* gpu, std::int64_t nodes) {
  PlatformRequest request;
  request.gpu = gpu;
  request.fabric = "star";
  request.nodes = nodes;
  return request;
}

void expect_line(const std::string& text, const std::string& line) {
  EXPECT_NE(("\n" + text).find("\n" + line + "\n"), std::string::npos) << line << " in\n" << text;
}

TEST(CollectiveExplanation, AServersScaleUpPorts) {
  const std::string text = explained(servers("h100", 1), of(CollectiveOp::kAllReduce, "ring", 8));
  expect_line(text, "#   ring 0: GPU 0 1 2 3 4 5 6 7");
  expect_line(text, "#   full: the scale-up port of a GPU: 450 GB/s");
  EXPECT_NE(text.find(" + 14 rounds of "), std::string::npos) << text;
}

// One ring leaves a server through one GPU's NIC; 8 rings through all; with 4 NICs of 200G for 8
// GPUs these are 100 GB/s.
TEST(CollectiveExplanation, OneNicOfTwoServers) {
  const std::string text = explained(servers("h100", 2), of(CollectiveOp::kAllReduce, "ring", 16));
  expect_line(text, "# ring over 16 GPUs in 2 domains");
  expect_line(text, "#   full: 1 x 400G NIC of a server: 50.0 GB/s");
}

TEST(CollectiveExplanation, AllNicsOfTwoServers) {
  const std::string text =
      explained(servers("h100", 2), of(CollectiveOp::kAllReduce, "ring", 16, 8));
  expect_line(text, "# ring, 8 channels over 16 GPUs in 2 domains");
  expect_line(text, "#   ring 1: GPU 1 2 3 4 5 6 7 0 9 10 11 12 13 14 15 8");
  expect_line(text, "#   and 4 more rings");
  expect_line(text, "#   full: 8 x 400G NICs of a server: 400 GB/s");
}

TEST(CollectiveExplanation, NicsThatGpusShare) {
  PlatformRequest platform = servers("h100", 3);
  platform.nics = 4;
  platform.nic = "200Gbps";
  const std::string text = explained(platform, of(CollectiveOp::kAllToAll, "direct", 24));
  expect_line(text, "#   full: 4 x 200G NICs of a server: 100 GB/s");
}

TEST(CollectiveExplanation, OneWireOfAMesh) {
  const std::string text = explained(servers("mi300x", 1), of(CollectiveOp::kAllReduce, "ring", 8));
  EXPECT_NE(text.find("full: what every message has to itself, as a wire between two GPUs: 64.0"),
            std::string::npos)
      << text;
}

// By hand, 2 H100 of a server: see their device file for the launch and the port's latency.
TEST(CollectiveExplanation, TermsAddUp) {
  CollectiveRequest request = of(CollectiveOp::kSendRecv, "direct", 2);
  request.use.launch = Seconds{5e-6};
  request.sizes = {Bytes{450e6}, Bytes{900e6}};
  const std::string text = explained(servers("h100", 1), request);
  EXPECT_NE(text.find("#     450000000: launch 5.000 + 1 round of "), std::string::npos) << text;
  EXPECT_NE(text.find(" + bytes 1000.000 = "), std::string::npos) << text;
  EXPECT_NE(text.find(" + bytes 2000.000 = "), std::string::npos) << text;
}

}  // namespace
}  // namespace rehearse
