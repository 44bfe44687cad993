// Every algorithm of the table moves the bytes of its operation and reaches everybody; loops go
// over the table, so that an algorithm added there is held to it too.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "collectives/collective_algorithm.hpp"

namespace rehearse {
namespace {

std::vector<Bytes> equal_buffers(int n, double bytes) {
  return std::vector<Bytes>(n, Bytes{bytes});
}

// Members in domains of `per_domain` neighbours.
GroupShape shape_of(int n, int per_domain) {
  GroupShape shape;
  for (int member = 0; member < n; ++member) shape.domain.push_back(member / per_domain);
  return shape;
}

// Every algorithm on every group that it serves, of 2 to 16 members in one domain and in several.
template <class Check>
void for_each_served(const Check& check) {
  std::set<const CollectiveAlgorithm*> served;
  for (const CollectiveAlgorithm* algorithm : collective_algorithms()) {
    for (const int n : {2, 3, 4, 6, 8, 13, 16}) {
      for (const int per_domain : {16, 4, 3}) {
        const GroupShape shape = shape_of(n, per_domain);
        if (!algorithm->refusal(shape).empty()) continue;
        served.insert(algorithm);
        SCOPED_TRACE(std::string(to_text(algorithm->op)) + " " + std::string(algorithm->name) +
                     " " + std::to_string(n) + " by " + std::to_string(per_domain));
        check(*algorithm, shape);
      }
    }
  }
  EXPECT_EQ(served.size(), collective_algorithms().size());
}

// By member, bytes sent and received over the whole schedule.
std::pair<std::vector<double>, std::vector<double>> totals(const Schedule& schedule, int n) {
  std::vector<double> sent(n, 0);
  std::vector<double> received(n, 0);
  for (const Step& step : schedule) {
    for (const MemberMessage& message : step.messages) {
      sent[message.from] += message.bytes.value * step.repeat;
      received[message.to] += message.bytes.value * step.repeat;
    }
  }
  return {sent, received};
}

// Whose data has reached whom when every message carries all that its sender knew at the start of
// its round.
std::vector<std::set<int>> knowledge_after(const Schedule& schedule, int n) {
  std::vector<std::set<int>> known(n);
  for (int member = 0; member < n; ++member) known[member] = {member};
  for (const Step& step : schedule) {
    for (int time = 0; time < step.repeat; ++time) {
      const std::vector<std::set<int>> before = known;
      for (const MemberMessage& message : step.messages) {
        known[message.to].insert(before[message.from].begin(), before[message.from].end());
      }
    }
  }
  return known;
}

// One step moves all bytes over every hop.
bool all_hops_at_once(const CollectiveAlgorithm& algorithm) {
  return algorithm.name == "double_tree" || algorithm.name == "node_aware";
}

TEST(CollectiveAlgorithms, ReachEverybodyWhomTheOperationConcerns) {
  for_each_served([](const CollectiveAlgorithm& algorithm, const GroupShape& shape) {
    if (algorithm.name == "in_switch")
      return;  // the switch, which is no member, passes the data on
    const int n = shape.size();
    Schedule schedule = algorithm.schedule(shape, equal_buffers(n, 48));
    if (all_hops_at_once(algorithm)) {
      // Chunks take a hop per round; the later steps are the hops of the last chunk.
      for (Step& step : schedule) step.messages = schedule.front().messages;
    }
    const auto known = knowledge_after(schedule, n);
    for (int member = 0; member < n; ++member) {
      switch (algorithm.op) {
        case CollectiveOp::kBroadcast:
        case CollectiveOp::kScatter:  // has the root's data
          EXPECT_TRUE(known[member].contains(0)) << member;
          break;
        case CollectiveOp::kReduce:
        case CollectiveOp::kGather:  // the root has everybody's
          EXPECT_TRUE(known[0].contains(member)) << member;
          break;
        default:
          EXPECT_EQ(static_cast<int>(known[member].size()), n) << member;
      }
    }
  });
}

TEST(CollectiveAlgorithms, MoveTheBytesOfTheOperation) {
  for_each_served([](const CollectiveAlgorithm& algorithm, const GroupShape& shape) {
    const int n = shape.size();
    constexpr double kBuffer = 48e6;
    const auto [sent, received] = totals(algorithm.schedule(shape, equal_buffers(n, kBuffer)), n);
    const double least = kBuffer * moved_per_byte(algorithm.op, n);
    double all = 0;
    for (int member = 0; member < n; ++member) {
      all += sent[member];
      if (all_hops_at_once(algorithm)) continue;  // below: they pass on what is not theirs
      switch (algorithm.op) {
        case CollectiveOp::kAllReduce:  // in the switch: the buffer there and back, once
          EXPECT_NEAR(sent[member], algorithm.name == "in_switch" ? kBuffer : least, 1e-3);
          EXPECT_NEAR(received[member], sent[member], 1e-3);
          break;
        case CollectiveOp::kAllGather:
        case CollectiveOp::kReduceScatter:
        case CollectiveOp::kAllToAll:
          EXPECT_NEAR(sent[member], least, 1e-3);
          EXPECT_NEAR(received[member], least, 1e-3);
          break;
        case CollectiveOp::kBroadcast:
        case CollectiveOp::kScatter:
          if (member > 0) {
            EXPECT_GE(received[member], kBuffer * (1 - 1e-12));
          }
          break;
        case CollectiveOp::kReduce:
        case CollectiveOp::kGather:
          if (member > 0) {
            EXPECT_GE(sent[member], kBuffer * (1 - 1e-12));
          }
          break;
        case CollectiveOp::kBarrier:
          EXPECT_EQ(sent[member], 0);
          break;
        case CollectiveOp::kCount:
          FAIL() << "not an operation";
      }
    }
    if (algorithm.name != "in_switch") {
      EXPECT_GE(all, n * least * (1 - 1e-12));
    }
  });
}

TEST(CollectiveAlgorithms, NobodySendsToItselfOrTwiceToOneMemberInARound) {
  for_each_served([](const CollectiveAlgorithm& algorithm, const GroupShape& shape) {
    for (const Step& step : algorithm.schedule(shape, equal_buffers(shape.size(), 48))) {
      EXPECT_GE(step.repeat, 1);
      std::set<std::pair<int, int>> edges;
      for (const MemberMessage& message : step.messages) {
        EXPECT_NE(message.from, message.to);
        EXPECT_TRUE(message.to >= 0 && message.to < shape.size());
        EXPECT_TRUE(edges.insert({message.from, message.to}).second);
      }
    }
  });
}

TEST(CollectiveAlgorithms, TakeTheTimeOfTheirRounds) {
  // Every pair at 2 GB/s after 3 us, a member's concurrent sends sharing its 2 GB/s, its receives
  // likewise: the time of a round is a latency and the bytes of its busiest port. The switch
  // answers at the same time as it receives.
  for_each_served([](const CollectiveAlgorithm& algorithm, const GroupShape& shape) {
    const int n = shape.size();
    double time = 0;
    for (const Step& step : algorithm.schedule(shape, equal_buffers(n, 48e6))) {
      const auto [sent, received] = totals({{1, step.messages}}, n);
      const double busiest = std::max(*std::max_element(sent.begin(), sent.end()),
                                      *std::max_element(received.begin(), received.end()));
      time += step.repeat * (3e-6 + busiest / 2e9);
    }
    EXPECT_NEAR(algorithm.closed_form(shape, {48e6}, {3e-6}, {2e9}).value, time, 1e-12);
  });
}

TEST(CollectiveAlgorithms, AnyGroupIsServedForEveryOperation) {
  for (int op = 0; op < kCollectiveOps; ++op) {
    for (const int n : {2, 3, 7}) {
      EXPECT_FALSE(candidates_for(static_cast<CollectiveOp>(op), shape_of(n, 4)).empty());
    }
  }
}

TEST(CollectiveAlgorithms, RefusalsSayTheRule) {
  const auto refusal = [](const char* name, const GroupShape& shape) {
    return algorithm_named(CollectiveOp::kAllReduce, name)->refusal(shape);
  };
  EXPECT_EQ(refusal("halving_doubling", shape_of(6, 8)),
            "needs 2, 4, 8, ... members, the group has 6");
  EXPECT_EQ(refusal("two_level", shape_of(8, 8)),
            "needs members in at least two domains, all are in one");
  EXPECT_EQ(refusal("two_level", shape_of(6, 4)),
            "needs as many members in every domain, one has 4 and one 2");
  EXPECT_EQ(refusal("two_level", shape_of(4, 1)), "needs at least two members in every domain");
  EXPECT_EQ(refusal("two_level", GroupShape{{-1, -1}}), "needs a platform with scale-up domains");
  EXPECT_EQ(refusal("in_switch", shape_of(8, 4)),
            "needs all members behind one switch (one domain)");
  EXPECT_EQ(algorithm_named(CollectiveOp::kAllGather, "two_level"), nullptr);
}

TEST(Rings, OfUnequalBuffersMoveTheLargest) {
  const std::vector<Bytes> bytes = {{30}, {90}, {60}};
  for (const CollectiveOp op :
       {CollectiveOp::kAllReduce, CollectiveOp::kAllGather, CollectiveOp::kReduceScatter}) {
    const CollectiveAlgorithm& ring = *algorithm_named(op, "ring");
    const GroupShape shape = shape_of(3, 4);
    EXPECT_EQ(totals(ring.schedule(shape, bytes), 3),
              totals(ring.schedule(shape, equal_buffers(3, 90)), 3));
  }
}

TEST(DirectAllToAll, SendsAnNthOfItsOwnBufferToEachOther) {
  // Member 1 holds half of what member 2 holds, member 0 nothing.
  const std::vector<Bytes> bytes = {{0}, {30}, {60}};
  const Schedule schedule =
      algorithm_named(CollectiveOp::kAllToAll, "direct")->schedule(shape_of(3, 4), bytes);
  ASSERT_EQ(schedule.size(), 1U);
  for (const MemberMessage& message : schedule[0].messages) {
    EXPECT_EQ(message.bytes.value, message.from * 10) << message.from << " to " << message.to;
  }
}

TEST(TwoLevel, SendsOneShareAcrossPerMember) {
  // 2 domains of 4: 1/4 of the buffer is reduced inside, of it 1/2 in each of 2 rounds goes across.
  const Schedule schedule = algorithm_named(CollectiveOp::kAllReduce, "two_level")
                                ->schedule(shape_of(8, 4), equal_buffers(8, 800));
  ASSERT_EQ(schedule.size(), 3U);
  EXPECT_EQ(schedule[0].repeat, 3);
  EXPECT_EQ(schedule[1].repeat, 2);
  for (const MemberMessage& message : schedule[0].messages) {
    EXPECT_EQ(message.from / 4, message.to / 4);
    EXPECT_EQ(message.bytes.value, 200);
  }
  for (const MemberMessage& message : schedule[1].messages) {
    EXPECT_EQ(message.from % 4, message.to % 4);
    EXPECT_NE(message.from / 4, message.to / 4);
    EXPECT_EQ(message.bytes.value, 100);
  }
}

}  // namespace
}  // namespace rehearse
