// Transfers that share links: two nodes of two GPUs whose NICs together have twice the trunk's
// bandwidth.
#include <gtest/gtest.h>

#include <algorithm>

#include "cluster_xml/xml_text.hpp"
#include "replay/recorded_run.hpp"
#include "replay/replay.hpp"
#include "replay/small_cluster.hpp"
#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

// Rings {0,2} and {1,3}: each crosses both trunks, both ways.
SmallPrograms two_rings(double bytes, int rings) {
  SmallPrograms small(4);
  small.divide(Axis::kData, {{0, 2}, {1, 3}});
  for (Rank rank = 0; rank < 4; ++rank) {
    if (rank % 2 < rings) small.collective(rank, CollectiveOp::kAllReduce, bytes, {}, Axis::kData);
  }
  return small;
}

const std::string kOversubscribed = trunks(2, 2, {50e9, 1e-6}, {50e9, 0.5e-6});
constexpr double kLatency = 2 * (1e-6 + 0.5e-6);

TEST(Contention, TwoRingsOverOneTrunkTakeTwiceAsLong) {
  // 2 rounds of 100 MB: alone at 50 GB/s, together at 25.
  const double alone = 2 * kLatency + 200e6 / 50e9;
  const double together = 2 * kLatency + 200e6 / 25e9;
  EXPECT_NEAR(makespan_in_child(two_rings(200e6, 1).programs(), kOversubscribed), alone, 1e-14);
  EXPECT_NEAR(makespan_in_child(two_rings(200e6, 2).programs(), kOversubscribed), together, 1e-14);
}

TEST(Contention, FluidIsWithinATenthOfAPercentOfExactAt200MB) {
  const SmallPrograms small = two_rings(200e6, 2);
  const double exact =
      makespan_in_child(small.programs(), kOversubscribed, NetworkLevelName::kExact);
  EXPECT_NEAR(makespan_in_child(small.programs(), kOversubscribed), exact, 1e-3 * exact);
}

std::vector<double> carried(NetworkLevelName level) {
  return in_child([&] {
    std::vector<double> bytes;
    for (const LinkUse& link :
         run(two_rings(200e6, 2).programs(), kOversubscribed, level).link_use) {
      bytes.push_back(link.carried.value);
    }
    std::sort(bytes.begin(), bytes.end());
    return bytes;
  });
}

TEST(Contention, LinksCarryWhatTheirRingsSend) {
  // A member of a ring of two sends 2 x 1/2 of its 200 MB: so much goes up and down each of the
  // four NICs, and twice as much up and down each of the two trunks.
  std::vector<double> expected(8, 200e6);
  expected.insert(expected.end(), 4, 400e6);
  for (const NetworkLevelName level : {NetworkLevelName::kFluid, NetworkLevelName::kExact}) {
    const std::vector<double> found = carried(level);
    ASSERT_EQ(found.size(), expected.size()) << to_text(level);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 1e-9 * expected[i]) << to_text(level);
    }
  }
  EXPECT_EQ(carried(NetworkLevelName::kAnalytic), std::vector<double>{});
}

TEST(Contention, LinkFlowsAreWhatLinksCarryAndFillTheTrunk) {
  // Both rings' messages share a trunk of 50 GB/s: after the latencies of both rounds it is full
  // until the end, the NICs half so.
  const RecordedRun result = run(two_rings(200e6, 2).programs(), kOversubscribed);
  std::vector<double> carried(result.link_use.size());
  for (const LinkFlow& flow : result.link_flows) {
    carried.at(flow.link) += flow.carried.value;
    EXPECT_NEAR(flow.start.value, 2 * kLatency, 1e-14);
    EXPECT_NEAR(flow.end.value, result.makespan.value, 1e-14);
    EXPECT_NEAR(flow.carried.value / (flow.end - flow.start).value, 25e9, 25);
  }
  for (const LinkUse& link : result.link_use) {
    EXPECT_NEAR(carried[link.link], link.carried.value, 1e-9 * link.carried.value) << link.name;
  }
}

double doubtful_share(const SmallPrograms& small) {
  return in_child([&] {
    const TemporaryXml file(kOversubscribed);
    Cluster cluster = load_cluster(file.path());
    RecordedRun recorded;
    return std::vector<double>{
        replay(small.programs(), cluster, NetworkLevelName::kFluid, recorded).doubt.share()};
  })[0];
}

TEST(Contention, LatenciesOfContendingRingsAreDoubted) {
  // 2 rounds of 100 kB: alone 2 x (3 us + 2 us), together 2 x (3 us + 4 us) = 14 us, of which the
  // second round's latency may overlap with the other ring's transmission: 3/14.
  EXPECT_EQ(doubtful_share(two_rings(200e3, 1)), 0);
  EXPECT_NEAR(doubtful_share(two_rings(200e3, 2)), 3.0 / 14, 1e-12);
}

TEST(Contention, AnalyticTransfersDoNotSlowEachOther) {
  const double alone = 2 * kLatency + 200e6 / 50e9;
  EXPECT_NEAR(makespan_in_child(two_rings(200e6, 2).programs(), kOversubscribed,
                                NetworkLevelName::kAnalytic),
              alone, 1e-14);
}

TEST(Contention, TheMessagesOfOneTransferShareLinksOnEveryLevel) {
  // An all-to-all over 4 GPUs sends 2 x 2 messages of a quarter over each trunk, at 50 GB/s
  // together; a NIC carries only 3.
  SmallPrograms small(4);
  small.collective_on_all(CollectiveOp::kAllToAll, 400e6);
  const double expected = kLatency + 4 * 100e6 / 50e9;
  for (const NetworkLevelName level : {NetworkLevelName::kFluid, NetworkLevelName::kAnalytic}) {
    EXPECT_NEAR(makespan_in_child(small.programs(), kOversubscribed, level), expected, 1e-14);
  }
  // Exact: messages inside a node end early and leave the trunk as it is, the bottleneck.
  EXPECT_NEAR(makespan_in_child(small.programs(), kOversubscribed, NetworkLevelName::kExact),
              expected, 1e-12);
}

TEST(Contention, ARingThatEndsLeavesTheTrunkToTheOther) {
  // Ring {0,2} moves 100 MB per direction in all, ring {1,3} 300. At 25 GB/s each until the first
  // is through (4 ms); the other's 200 MB left go at 50.
  SmallPrograms small(4);
  small.divide(Axis::kData, {{0, 2}, {1, 3}});
  for (Rank rank = 0; rank < 4; ++rank) {
    small.collective(rank, CollectiveOp::kAllReduce, rank % 2 == 0 ? 100e6 : 300e6, {},
                     Axis::kData);
  }
  const RecordedRun result = run(small.programs(), kOversubscribed);
  EXPECT_NEAR(result.of(0, 0).end.value, 2 * kLatency + 4e-3, 1e-14);
  EXPECT_NEAR(result.of(1, 0).end.value, 2 * kLatency + 8e-3, 1e-14);
}

TEST(Contention, ParallelFatpipesDoNotShare) {
  // Tensor and expert collectives at once over the same pair of GPUs.
  SmallPrograms small(2);
  small.collective_on_all(CollectiveOp::kAllReduce, 2e6);
  small.collective_on_all(CollectiveOp::kAllReduce, 2e6, Axis::kExpert, Stream::kExpert);
  EXPECT_NEAR(makespan_in_child(small.programs(), clique(2, {1e9, 1e-6})), 2 * (1e-6 + 1e-3),
              1e-14);
  EXPECT_NEAR(makespan_in_child(small.programs(), star(2, {1e9, 0.5e-6})), 2 * 1e-6 + 4e-3, 1e-14);
}

}  // namespace
}  // namespace rehearse
