// Every algorithm of the table moves the bytes of its operation and reaches everybody; loops go
// over the table, so that an algorithm added there is held to it too.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "collectives/collective_algorithm.hpp"
#include "collectives/rings.hpp"

namespace rehearse {
namespace {

std::vector<Bytes> equal_buffers(int n, double bytes) {
  return std::vector<Bytes>(n, Bytes{bytes});
}

// Members in domains of `per_domain` neighbours.
GroupShape shape_of(int n, int per_domain, int channels = 0) {
  GroupShape shape;
  shape.channels = channels;
  for (int member = 0; member < n; ++member) shape.domain.push_back(member / per_domain);
  return shape;
}

// Blocks of a torus that n members may fill.
std::vector<std::vector<TorusSide>> tori_of(int n) {
  const std::vector<std::vector<TorusSide>> known = {{{2}},
                                                     {{3}},
                                                     {{3, true}},
                                                     {{4, true}},
                                                     {{2}, {3, true}},
                                                     {{2}, {3}},
                                                     {{8, true}},
                                                     {{2}, {4}},
                                                     {{2}, {2}, {2}},
                                                     {{13, true}},
                                                     {{4, true}, {4, true}},
                                                     {{4}, {4}},
                                                     {{2}, {8, true}},
                                                     {{2}, {2}, {4, true}}};
  std::vector<std::vector<TorusSide>> of_n;
  for (const std::vector<TorusSide>& sides : known) {
    int members = 1;
    for (const TorusSide& side : sides) members *= side.members;
    if (members == n) of_n.push_back(sides);
  }
  return of_n;
}

// Every algorithm on every group that it serves, of 2 to 16 members in one domain and in several.
template <class Check>
void for_each_served(const Check& check) {
  std::set<const CollectiveAlgorithm*> served;
  for (const CollectiveAlgorithm* algorithm : collective_algorithms()) {
    for (const int n : {2, 3, 4, 6, 8, 13, 16}) {
      for (const int per_domain : {16, 4, 3}) {
        for (const int channels : {0, 1, 3, 4}) {
          const GroupShape shape = shape_of(n, per_domain, channels);
          if (!algorithm->refusal(shape).empty()) continue;
          served.insert(algorithm);
          SCOPED_TRACE(std::string(to_text(algorithm->op)) + " " + std::string(algorithm->name) +
                       " " + std::to_string(n) + " by " + std::to_string(per_domain) + " in " +
                       std::to_string(channels));
          check(*algorithm, shape);
        }
      }
      for (const std::vector<TorusSide>& sides : tori_of(n)) {
        GroupShape shape = shape_of(n, n);
        shape.torus = sides;
        if (algorithm->name != "torus") continue;
        served.insert(algorithm);
        SCOPED_TRACE(std::string(to_text(algorithm->op)) + " on a torus of " + std::to_string(n) +
                     ", sides: " + std::to_string(sides.size()));
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
  const bool along_a_ring = algorithm.name == "ring" && (algorithm.op == CollectiveOp::kBroadcast ||
                                                         algorithm.op == CollectiveOp::kReduce);
  return algorithm.name == "double_tree" || algorithm.name == "node_aware" ||
         algorithm.name == "hierarchical" || algorithm.name == "rank_aware" || along_a_ring;
}

bool adds_up_in_the_switch(const CollectiveAlgorithm& algorithm) {
  return algorithm.name == "in_switch" || algorithm.name == "in_switch_tree";
}

TEST(CollectiveAlgorithms, ReachEverybodyWhomTheOperationConcerns) {
  for_each_served([](const CollectiveAlgorithm& algorithm, const GroupShape& shape) {
    // The switch, which is no member, passes the data on.
    if (adds_up_in_the_switch(algorithm)) return;
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
        case CollectiveOp::kSendRecv:
          EXPECT_EQ(known[member], (std::set<int>{member, (member + n - 1) % n}));
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
      // Below: they pass on what is not theirs.
      if (all_hops_at_once(algorithm) || algorithm.name == "torus") continue;
      if (adds_up_in_the_switch(algorithm)) continue;
      switch (algorithm.op) {
        case CollectiveOp::kAllReduce:
          EXPECT_NEAR(sent[member], algorithm.name == "one_shot" ? kBuffer * (n - 1) : least, 1e-3);
          EXPECT_NEAR(received[member], sent[member], 1e-3);
          break;
        case CollectiveOp::kAllGather:
        case CollectiveOp::kReduceScatter:
        case CollectiveOp::kAllToAll:
        case CollectiveOp::kSendRecv:
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
    if (!adds_up_in_the_switch(algorithm)) {
      EXPECT_GE(all, n * least * (1 - 1e-12));
    }
  });
}

TEST(CollectiveAlgorithms, NobodySendsToItselfOrTwiceToOneMemberInARound) {
  for_each_served([](const CollectiveAlgorithm& algorithm, const GroupShape& shape) {
    for (const Step& step : algorithm.schedule(shape, equal_buffers(shape.size(), 48))) {
      EXPECT_GE(step.repeat, 1);
      std::set<std::tuple<int, int, int>> edges;
      for (const MemberMessage& message : step.messages) {
        EXPECT_NE(message.from, message.to);
        EXPECT_TRUE(message.to >= 0 && message.to < shape.size());
        EXPECT_TRUE(edges.insert({message.from, message.to, message.via}).second);
      }
    }
  });
}

TEST(CollectiveAlgorithms, TakeTheTimeOfTheirRounds) {
  // Every pair at 2 GB/s after 3 us, a member's concurrent sends sharing its 2 GB/s, its receives
  // likewise: the time of a round is a latency and the bytes of its busiest port. The switch
  // answers at the same time as it receives.
  for_each_served([](const CollectiveAlgorithm& algorithm, const GroupShape& shape) {
    if (shape.channels > 0) return;  // what is passed on takes a port of others as well
    const int n = shape.size();
    double time = 0;
    for (const Step& step : algorithm.schedule(shape, equal_buffers(n, 48e6))) {
      Schedule one(1);
      one.front().messages = step.messages;
      const auto [sent, received] = totals(one, n);
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

// Bytes that the members of one domain send to those of others, by place in the domain.
std::map<std::pair<int, int>, double> sent_across(const GroupShape& shape,
                                                  const Schedule& schedule) {
  std::map<std::pair<int, int>, double> sent;
  for (const Step& step : schedule) {
    for (const MemberMessage& message : step.messages) {
      if (shape.domain[message.from] == shape.domain[message.to]) continue;
      const int by = message.via >= 0 ? message.via : message.from;
      EXPECT_EQ(shape.domain[by], shape.domain[message.from]);
      sent[{by, message.to}] += step.repeat * message.bytes.value;
    }
  }
  return sent;
}

TEST(Rings, OfSeveralChannelsLeaveADomainThroughAllItsMembers) {
  // 3 domains of 4: each of 4 rings takes a quarter of the buffer around, so that each member is
  // the border of its own ring and what leaves it arrives at the member of its place.
  const GroupShape shape = shape_of(12, 4, 4);
  constexpr double kBuffer = 48e6;
  const CollectiveAlgorithm& ring = *algorithm_named(CollectiveOp::kAllReduce, "ring");
  const Schedule schedule = ring.schedule(shape, equal_buffers(12, kBuffer));
  const auto sent = sent_across(shape, schedule);
  EXPECT_EQ(sent.size(), 12U);
  for (const auto& [pair, bytes] : sent) {
    EXPECT_EQ(pair.second, (pair.first + 4) % 12);
    EXPECT_NEAR(bytes, 2 * 11.0 / 12 * kBuffer / 4, 1e-3);
  }
  EXPECT_EQ(schedule.front().repeat, 2 * 11);
  EXPECT_EQ(schedule.front().across, 2 * 2);  // a chunk leaves a domain N - 1 times a pass
}

TEST(Rings, AreToldInTheOrderOfTheirMembers) {
  EXPECT_EQ(ring_order(shape_of(6, 3, 2), 1), (std::vector<int>{1, 2, 0, 4, 5, 3}));
  EXPECT_EQ(ring_order(shape_of(6, 3), 0), (std::vector<int>{0, 1, 2, 3, 4, 5}));
  // Whoever follows another there gets what it sends; the last of a server sends through its first.
  for (const bool mesh : {false, true}) {
    GroupShape shape = shape_of(16, 8, 1);
    shape.mesh = mesh;
    const std::vector<int> order = ring_order(shape, 0);
    const CollectiveAlgorithm& ring = *algorithm_named(CollectiveOp::kAllGather, "ring");
    std::set<std::pair<int, int>> sent;
    const Schedule schedule = ring.schedule(shape, equal_buffers(16, 8e6));
    for (const MemberMessage& message : schedule.front().messages) {
      sent.insert({message.from, message.to});
    }
    for (std::size_t at = 0; at < order.size(); ++at) {
      EXPECT_TRUE(sent.contains({order[at], order[(at + 1) % order.size()]})) << at;
    }
  }
}

TEST(Rings, InAMeshTakeEachWireOnce) {
  // 2 domains of 8, each ring along its own path of Walecki: 8 x 7 wires, each an eighth.
  GroupShape shape = shape_of(16, 8, 8);
  shape.mesh = true;
  const CollectiveAlgorithm& ring = *algorithm_named(CollectiveOp::kAllGather, "ring");
  std::map<std::pair<int, int>, double> inside;
  const Schedule schedule = ring.schedule(shape, equal_buffers(16, 8e6));
  for (const MemberMessage& message : schedule.front().messages) {
    const bool stays = shape.domain[message.from] == shape.domain[message.to];
    if (stays) inside[{message.from, message.to}] += message.bytes.value;
  }
  EXPECT_EQ(inside.size(), 2U * 8 * 7);
  for (const auto& [wire, bytes] : inside) EXPECT_NEAR(bytes, 1e6, 1e-6);
}

TEST(DirectAllToAll, StaysOnTheRailsOfTheReceivers) {
  const GroupShape shape = shape_of(8, 4, 4);
  const CollectiveAlgorithm& direct = *algorithm_named(CollectiveOp::kAllToAll, "direct");
  for (const auto& [pair, bytes] :
       sent_across(shape, direct.schedule(shape, equal_buffers(8, 8e6)))) {
    EXPECT_EQ(pair.first % 4, pair.second % 4);
    EXPECT_NEAR(bytes, 4 * 1e6, 1e-6);  // of all members of the domain
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
  EXPECT_EQ(refusal("two_level", GroupShape{{-1, -1}, false, 0, {}}),
            "needs a platform with scale-up domains");
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
