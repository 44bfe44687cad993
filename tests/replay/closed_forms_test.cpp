// Collectives alone on the network: every level takes exactly the textbook time.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "collectives/collective_algorithm.hpp"
#include "replay/recorded_run.hpp"
#include "replay/small_cluster.hpp"
#include "replay/small_programs.hpp"

namespace rehearse {
namespace {

constexpr NetworkLevelName kLevels[] = {NetworkLevelName::kFluid, NetworkLevelName::kAnalytic,
                                        NetworkLevelName::kExact, NetworkLevelName::kSimgrid};
constexpr double kLaunch = 5e-6;
constexpr SmallGpu kGpu = {.collective_launch = kLaunch};
// Whole bytes for every n below, because SimGrid's messages are.
constexpr double kSizes[] = {24 * 50, 24 * 40e6};

struct Expected {
  double latency;           // of a message
  double bandwidth;         // of a member, or of a pair
  bool sends_share = true;  // a member's messages share its bandwidth
};

int log2_up(int n) { return n <= 1 ? 0 : 1 + log2_up((n + 1) / 2); }

double double_tree_formula(int n, double all, const Expected& by) {
  // Trees drawn by hand, each edge carrying half of the buffer both ways. 2: 1-0 and 0-1. 3: 1-0
  // 1-2 and 2-1 2-0. 4: 1-0 1-3 3-2 and 2-1 2-0 0-3. 8: 3-1 1-0 1-2 3-5 5-4 5-7 7-6 and these moved
  // on by one: 4-2 2-1 2-3 4-6 6-5 6-0 0-7. So many edges has the busiest member, so many of them
  // join the busiest pair, and so deep are they:
  const std::map<int, int> member = {{2, 2}, {3, 3}, {4, 3}, {8, 4}};
  const std::map<int, int> pair = {{2, 2}, {3, 2}, {4, 1}, {8, 2}};
  const std::map<int, int> depth = {{2, 1}, {3, 1}, {4, 2}, {8, 3}};
  const double port = by.sends_share ? member.at(n) : pair.at(n);
  return 2 * depth.at(n) * by.latency + port * all / 2;
}

double all_reduce_formula(const CollectiveAlgorithm& algorithm, int n, double bytes,
                          const Expected& by) {
  const double all = bytes / by.bandwidth;
  const double chunk = all / n;
  const double parallel = by.sends_share ? n - 1 : 1;
  if (algorithm.name == "ring") return 2 * (n - 1) * (by.latency + chunk);
  if (algorithm.name == "in_switch") return 2 * by.latency + all * (1 + 1.0 / n);
  if (algorithm.name == "one_shot") return by.latency + parallel * all;
  if (algorithm.name == "two_shot") return 2 * (by.latency + parallel * chunk);
  if (algorithm.name == "double_tree") return double_tree_formula(n, all, by);
  return 2 * (log2_up(n) * by.latency + (n - 1) * chunk);  // halving and doubling
}

// Of every algorithm that serves a group without regard to domains, written out again: what the
// algorithms' own files state has to agree. `parallel`: how many messages share a sender's or
// receiver's bandwidth where it sends n-1 at once.
double formula(const CollectiveAlgorithm& algorithm, int n, double bytes, const Expected& by) {
  const double all = bytes / by.bandwidth;
  const double chunk = all / n;
  const double parallel = by.sends_share ? n - 1 : 1;
  switch (algorithm.op) {
    case CollectiveOp::kAllReduce:
      return all_reduce_formula(algorithm, n, bytes, by);
    case CollectiveOp::kReduceScatter:
      if (algorithm.name == "direct") return by.latency + parallel * chunk;
      return (algorithm.name == "ring" ? n - 1 : log2_up(n)) * by.latency + (n - 1) * chunk;
    case CollectiveOp::kAllGather:  // the buffer is a shard
      if (algorithm.name == "direct") return by.latency + parallel * all;
      return (algorithm.name == "ring" ? n - 1 : log2_up(n)) * by.latency + (n - 1) * all;
    case CollectiveOp::kAllToAll:
      if (algorithm.name == "pairwise") return (n - 1) * (by.latency + chunk);
      return by.latency + parallel * chunk;
    case CollectiveOp::kGather:
    case CollectiveOp::kScatter:
      return by.latency + parallel * all;
    case CollectiveOp::kBroadcast:
      if (algorithm.name == "binomial_tree") return log2_up(n) * (by.latency + all);
      if (algorithm.name == "ring") return (n - 1) * by.latency + all;
      return by.latency + parallel * chunk + (n - 1) * (by.latency + chunk);
    case CollectiveOp::kReduce:
      if (algorithm.name == "ring") return (n - 1) * by.latency + all;
      return log2_up(n) * (by.latency + all);
    case CollectiveOp::kSendRecv:
      return by.latency + all;
    case CollectiveOp::kBarrier:
      return log2_up(n) * by.latency;
    case CollectiveOp::kCount:
      break;
  }
  return -1;
}

// All GPUs of `zone` run each operation alone, with each algorithm that serves them.
void expect_closed_forms(const std::string& zone, int n, const Expected& by) {
  const GroupShape shape{std::vector<int>(n, 0), false, 0};
  for (const CollectiveAlgorithm* algorithm : collective_algorithms()) {
    if (!algorithm->refusal(shape).empty()) continue;
    for (const double bytes : kSizes) {
      SmallPrograms small(n);
      small.use(*algorithm);
      small.collective_on_all(algorithm->op, bytes);
      const double expected = kLaunch + formula(*algorithm, n, bytes, by);
      if (by.sends_share) {
        EXPECT_NEAR(
            kLaunch + algorithm->closed_form(shape, {bytes}, {by.latency}, {by.bandwidth}).value,
            expected, 1e-12 * expected);
      }
      for (const NetworkLevelName level : kLevels) {
        // A member with nothing to do in a round of a reduce over 3 or 6 sends ahead of it there.
        const bool sends_ahead = algorithm->op == CollectiveOp::kReduce && (n & (n - 1)) != 0;
        const bool by_message =
            level == NetworkLevelName::kExact || level == NetworkLevelName::kSimgrid;
        if (by_message && sends_ahead) continue;
        EXPECT_NEAR(makespan_in_child(small.programs(), zone, level), expected, 1e-12 * expected)
            << fmt::format("{} {} of {} over {}, level {}", to_text(algorithm->op), algorithm->name,
                           bytes, n, static_cast<int>(level));
      }
    }
  }
}

TEST(ClosedForms, OnAStar) {
  // A message goes up one link and down another: 2 x 1.5 us.
  for (const int n : {2, 3, 4, 8}) {
    expect_closed_forms(star(n, {50e9, 1.5e-6}, kGpu), n, {3e-6, 50e9});
  }
}

TEST(ClosedForms, OnAFatpipeClique) {
  for (const int n : {2, 3, 4, 8}) {
    expect_closed_forms(clique(n, {50e9, 2e-6}, kGpu), n, {2e-6, 50e9, false});
  }
}

TEST(ClosedForms, InsideANodeOfTwoFabrics) {
  for (const int n : {2, 4, 8}) {
    expect_closed_forms(two_fabrics(n, n, {450e9, 0.5e-6}, {50e9, 1e-6}, kGpu), n, {1e-6, 450e9});
  }
}

TEST(ClosedForms, BetweenNodesOfTwoFabrics) {
  // One GPU per node: all messages go through the NICs.
  for (const int n : {2, 3, 4, 8}) {
    expect_closed_forms(two_fabrics(n, 1, {450e9, 0.5e-6}, {50e9, 1e-6}, kGpu), n, {2e-6, 50e9});
  }
}

TEST(ClosedForms, WithoutLatencies) {
  for (const NetworkLevelName level : kLevels) {
    SmallPrograms small(4);
    small.collective_on_all(CollectiveOp::kAllReduce, 4e9);
    // 6 rounds of 1 GB at 1 GB/s.
    EXPECT_NEAR(makespan_in_child(small.programs(), star(4, {1e9, 0}), level), 6, 6e-12);
  }
}

TEST(ClosedForms, ARingOverTwoNodesGoesAtThePaceOfItsSlowestEdge) {
  // Ring 0-1-2-3 with nodes {0,1} and {2,3}: edges 1-2 and 3-0 take 2 us and 1 GB at 50 GB/s, and
  // are never idle in 6 rounds.
  for (const NetworkLevelName level : kLevels) {
    SmallPrograms small(4);
    small.collective_on_all(CollectiveOp::kAllReduce, 4e9);
    const double expected = 6 * (2e-6 + 1e9 / 50e9);
    EXPECT_NEAR(makespan_in_child(small.programs(),
                                  two_fabrics(4, 2, {450e9, 0.5e-6}, {50e9, 1e-6}), level),
                expected, 1e-12 * expected);
  }
}

TEST(ClosedForms, GroupsOnLinksOfTheirOwnDoNotDisturbEachOther) {
  for (const NetworkLevelName level : kLevels) {
    SmallPrograms small(8);
    small.divide(Axis::kTensor, {{0, 1, 2, 3}, {4, 5, 6, 7}});
    small.collective_on_all(CollectiveOp::kAllReduce, 4e9);
    const double expected = 6 * (2e-6 + 1);
    EXPECT_NEAR(makespan_in_child(small.programs(), star(8, {1e9, 1e-6}), level), expected,
                1e-12 * expected);
  }
}

TEST(ClosedForms, NoBytesTakeTheLatencies) {
  const GroupShape shape{std::vector<int>(4, 0), false, 0};
  for (const CollectiveAlgorithm* algorithm : collective_algorithms()) {
    if (!algorithm->refusal(shape).empty()) continue;
    for (const NetworkLevelName level : kLevels) {
      SmallPrograms small(4);
      small.use(*algorithm);
      small.collective_on_all(algorithm->op, 0);
      const double expected = kLaunch + formula(*algorithm, 4, 0, {2e-6, 1e9});
      EXPECT_NEAR(makespan_in_child(small.programs(), star(4, {1e9, 1e-6}, kGpu), level), expected,
                  1e-12 * expected)
          << to_text(algorithm->op) << algorithm->name << static_cast<int>(level);
    }
  }
}

TEST(ClosedForms, TwoLevelsUseTheFastLinksInsideAndTheSlowOnesForOneShare) {
  // 2 nodes of 4, 800 MB: 3 rounds of 200 MB at 450 GB/s and 1 us inside, 2 rounds of 100 MB at 50
  // GB/s and 2 us across, and 3 rounds inside again.
  for (const NetworkLevelName level : kLevels) {
    SmallPrograms small(8);
    small.use(*algorithm_named(CollectiveOp::kAllReduce, "two_level"));
    small.collective_on_all(CollectiveOp::kAllReduce, 800e6);
    const double expected = 6 * (1e-6 + 200e6 / 450e9) + 2 * (2e-6 + 100e6 / 50e9);
    EXPECT_NEAR(makespan_in_child(small.programs(),
                                  two_fabrics(8, 4, {450e9, 0.5e-6}, {50e9, 1e-6}), level),
                expected, 1e-12 * expected);
  }
}

TEST(ClosedForms, AMessageTakesLaunchLatencyAndBytesOverBandwidth) {
  for (const NetworkLevelName level : kLevels) {
    SmallPrograms small(2);
    small.send(0, 1, 50e6);
    small.receive(1, 0);
    const double expected = kLaunch + 2e-6 + 50e6 / 1e9;
    EXPECT_NEAR(makespan_in_child(small.programs(), star(2, {1e9, 1e-6}, kGpu), level), expected,
                1e-12 * expected);
  }
}

TEST(ClosedForms, AnUnequalAllToAllTakesAsLongAsItsFullestPort) {
  // Member 0 sends 2 x 2 GB, members 1 and 2 send 2 x 1 GB; into member 1 come 2 + 1 GB. At 1 GB/s
  // the fullest port is that of member 0: 4 s. (exact: member 0's messages end at 4 s too.)
  for (const NetworkLevelName level : kLevels) {
    SmallPrograms small(3);
    small.collective(0, CollectiveOp::kAllToAll, 6e9);
    small.collective(1, CollectiveOp::kAllToAll, 3e9);
    small.collective(2, CollectiveOp::kAllToAll, 3e9);
    EXPECT_NEAR(makespan_in_child(small.programs(), star(3, {1e9, 0}), level), 4, 4e-12)
        << static_cast<int>(level);
  }
}

TEST(ClosedForms, UnequalSplitsTakeAsLongAsTheFullestPort) {
  // Member 0 keeps 5 GB and sends 1 GB to each; 1 sends 2 GB to 0 and 1 GB to 2; 2 sends 3 GB to 0,
  // nothing to 1. Into member 0 come 5 GB, and no other port carries more: 5 s at 1 GB/s. (exact:
  // both of its senders keep it full until the end.)
  const std::vector<std::vector<Bytes>> to_member = {
      {{5e9}, {1e9}, {1e9}}, {{2e9}, {0}, {1e9}}, {{3e9}, {0}, {0}}};
  for (const NetworkLevelName level : kLevels) {
    SmallPrograms small(3);
    for (Rank rank = 0; rank < 3; ++rank) {
      small.collective(rank, CollectiveOp::kAllToAll, 0);
      small.split_last(rank, to_member[rank]);
    }
    EXPECT_NEAR(makespan_in_child(small.programs(), star(3, {1e9, 0}), level), 5, 5e-12)
        << static_cast<int>(level);
  }
}

TEST(ClosedForms, EqualSplitsAreTheEvenAllToAll) {
  for (const CollectiveAlgorithm* algorithm : collective_algorithms()) {
    GroupShape shape;
    shape.domain = {0, 0, 0, 0, 1, 1, 1, 1};
    if (algorithm->op != CollectiveOp::kAllToAll || !algorithm->refusal(shape).empty()) continue;
    for (const NetworkLevelName level : kLevels) {
      double makespan[2] = {};
      for (const bool split : {false, true}) {
        SmallPrograms small(8);
        small.use(*algorithm);
        for (Rank rank = 0; rank < 8; ++rank) {
          small.collective(rank, CollectiveOp::kAllToAll, 800e6);
          if (split) small.split_last(rank, std::vector<Bytes>(8, Bytes{100e6}));
        }
        makespan[split ? 1 : 0] = makespan_in_child(
            small.programs(), two_fabrics(8, 4, {450e9, 0.5e-6}, {50e9, 1e-6}), level);
      }
      EXPECT_NEAR(makespan[1], makespan[0], 1e-12 * makespan[0]) << algorithm->name;
    }
  }
}

TEST(ClosedForms, NodeAwareDispatchCrossesOncePerNode) {
  // 2 nodes of 4, 8 experts, 2 per token, 2.8 GB of copies per member: 350 MB for each other. Of
  // the 1.4 GB for the other node a token's two copies are one where both experts are there: with
  // probability 1 - C(4,2)/C(8,2) = 11/14 the node gets it, 1 copy is expected, so 11/14 of
  // it cross. Inside, 1.05 GB of its own and 1.05 GB passed on at 450 GB/s take less.
  for (const bool back : {false, true}) {
    for (const NetworkLevelName level : kLevels) {
      SmallPrograms small(8);
      small.use(*algorithm_named(CollectiveOp::kAllToAll, "node_aware"));
      for (Rank rank = 0; rank < 8; ++rank) {
        small.collective(rank, CollectiveOp::kAllToAll, 2800e6);
        small.at(rank, small.last(rank)).fan_out = {2, 8, back};
      }
      const double expected = 2e-6 + 11.0 / 14 * 1400e6 / 50e9 + 1e-6;
      EXPECT_NEAR(makespan_in_child(small.programs(),
                                    two_fabrics(8, 4, {450e9, 0.5e-6}, {50e9, 1e-6}), level),
                  expected, 1e-12 * expected)
          << back << static_cast<int>(level);
    }
  }
}

TEST(ClosedForms, RankAwareDispatchGoesToAMemberOnce) {
  // A node of 4, 8 experts, 3 per token, 4.2 GB of copies per member: 1.05 GB for each other. A
  // member holds 2 experts: C(6, 3) / C(8, 3) = 20/56 of the tokens have none of them, and 3/4 of a
  // copy is expected there, so 36/56 / (3/4) = 6/7 of each are sent, to 3 members.
  for (const bool back : {false, true}) {
    for (const NetworkLevelName level : kLevels) {
      SmallPrograms small(4);
      small.use(*algorithm_named(CollectiveOp::kAllToAll, "rank_aware"));
      for (Rank rank = 0; rank < 4; ++rank) {
        small.collective(rank, CollectiveOp::kAllToAll, 4200e6);
        small.at(rank, small.last(rank)).fan_out = {3, 8, back};
      }
      const double expected = 1e-6 + 3 * 6.0 / 7 * 1050e6 / 450e9;
      EXPECT_NEAR(makespan_in_child(small.programs(),
                                    two_fabrics(4, 4, {450e9, 0.5e-6}, {50e9, 1e-6}), level),
                  expected, 1e-12 * expected)
          << back << static_cast<int>(level);
    }
  }
}

TEST(Tightness, ADependentComputeStartsWhenTheCollectiveEndsAndNotANanosecondEarlier) {
  SmallPrograms small(4);
  for (Rank rank = 0; rank < 4; ++rank) {
    const int slot = small.collective(rank, CollectiveOp::kAllReduce, 4e6);
    small.compute(rank, 1e-3, {slot});
  }
  const RecordedRun run_of = run(small.programs(), star(4, {1e9, 1e-6}));
  const double expected = 6 * (2e-6 + 1e-3);
  for (Rank rank = 0; rank < 4; ++rank) {
    EXPECT_EQ(run_of.of(rank, 1).start.value, run_of.of(rank, 0).end.value);
    EXPECT_NEAR(run_of.of(rank, 1).start.value, expected, 1e-15);
  }
  EXPECT_NEAR(run_of.makespan.value, expected + 1e-3, 1e-15);
}

}  // namespace
}  // namespace rehearse
