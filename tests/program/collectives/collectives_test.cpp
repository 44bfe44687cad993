// The three forms of every algorithm say the same: messages, traffic, closed form. Loops go over
// the table, so that an algorithm added there is held to it too.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

#include "program/collectives/collective_algorithm.hpp"

namespace rehearse {
namespace {

using Edge = std::pair<int, int>;  // from, to

std::vector<Bytes> equal_buffers(int n, double bytes) {
  return std::vector<Bytes>(n, Bytes{bytes});
}

// Bytes that the rounds of all members move over each edge.
std::map<Edge, double> bytes_by_round(const CollectiveAlgorithm& algorithm,
                                      const std::vector<Bytes>& bytes) {
  std::map<Edge, double> moved;
  for (int from = 0; from < static_cast<int>(bytes.size()); ++from) {
    for (const auto& round : algorithm.rounds(from, bytes)) {
      for (const MemberMessage& message : round) moved[{from, message.to}] += message.bytes.value;
    }
  }
  return moved;
}

std::map<Edge, double> bytes_of_traffic(const CollectiveAlgorithm& algorithm,
                                        const std::vector<Bytes>& bytes) {
  const Traffic traffic = algorithm.traffic(bytes);
  std::map<Edge, double> moved;
  for (const TrafficEdge& edge : traffic.edges) {
    moved[{edge.from, edge.to}] += edge.streams * traffic.volume.value;
  }
  return moved;
}

void expect_same(const std::map<Edge, double>& a, const std::map<Edge, double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [edge, bytes] : a) {
    ASSERT_TRUE(b.contains(edge)) << edge.first << " -> " << edge.second;
    EXPECT_NEAR(b.at(edge), bytes, 1e-12 * bytes) << edge.first << " -> " << edge.second;
  }
}

double sent_by(const std::map<Edge, double>& moved, int member) {
  double sum = 0;
  for (const auto& [edge, bytes] : moved) sum += edge.first == member ? bytes : 0;
  return sum;
}

double received_by(const std::map<Edge, double>& moved, int member) {
  double sum = 0;
  for (const auto& [edge, bytes] : moved) sum += edge.second == member ? bytes : 0;
  return sum;
}

// What a member's buffer of S bytes makes it send, from the definition of each operation: an
// all_gather sends its shard to n-1 others; a reduce_scatter and an all_to_all keep one n-th of the
// buffer; an all_reduce is a reduce_scatter and an all_gather of the n-ths.
double sent_by_definition(CollectiveOp op, int n, double bytes) {
  switch (op) {
    case CollectiveOp::kAllGather:
      return bytes * (n - 1);
    case CollectiveOp::kReduceScatter:
    case CollectiveOp::kAllToAll:
      return bytes / n * (n - 1);
    case CollectiveOp::kAllReduce:
      return 2 * bytes / n * (n - 1);
  }
  return -1;
}

TEST(CollectiveAlgorithms, ServeEveryOperation) {
  for (const CollectiveOp op : {CollectiveOp::kAllReduce, CollectiveOp::kAllGather,
                                CollectiveOp::kReduceScatter, CollectiveOp::kAllToAll}) {
    EXPECT_EQ(algorithm_for(op).op, op);
  }
  EXPECT_GE(collective_algorithms().size(), 4U);
}

TEST(CollectiveAlgorithms, MoveTheBytesOfTheOperation) {
  for (const CollectiveAlgorithm* algorithm : collective_algorithms()) {
    for (const int n : {2, 3, 4, 8, 13}) {
      const auto moved = bytes_by_round(*algorithm, equal_buffers(n, 1e6));
      const double expected = sent_by_definition(algorithm->op, n, 1e6);
      for (int member = 0; member < n; ++member) {
        EXPECT_NEAR(sent_by(moved, member), expected, 1e-6) << to_text(algorithm->op) << n;
        EXPECT_NEAR(received_by(moved, member), expected, 1e-6) << to_text(algorithm->op) << n;
      }
      EXPECT_NEAR(algorithm->sent_per_byte(n) * 1e6, expected, 1e-6) << to_text(algorithm->op) << n;
    }
  }
}

TEST(CollectiveAlgorithms, TrafficCarriesTheBytesOfTheRoundsOnEveryEdge) {
  for (const CollectiveAlgorithm* algorithm : collective_algorithms()) {
    for (const int n : {2, 3, 4, 8, 13}) {
      SCOPED_TRACE(std::string(to_text(algorithm->op)) + " " + std::to_string(n));
      const std::vector<Bytes> bytes = equal_buffers(n, 1e6);
      expect_same(bytes_by_round(*algorithm, bytes), bytes_of_traffic(*algorithm, bytes));
    }
  }
}

TEST(CollectiveAlgorithms, HaveOneLatencyPerRoundAndTheSameRoundsOnEveryMember) {
  for (const CollectiveAlgorithm* algorithm : collective_algorithms()) {
    for (const int n : {2, 3, 8}) {
      const std::vector<Bytes> bytes = equal_buffers(n, 24);
      for (int member = 0; member < n; ++member) {
        EXPECT_EQ(static_cast<int>(algorithm->rounds(member, bytes).size()),
                  algorithm->traffic(bytes).latencies)
            << to_text(algorithm->op);
      }
    }
  }
}

TEST(CollectiveAlgorithms, ClosedFormIsLatenciesPlusBytesSentOverBandwidth) {
  // Where every member's sends share its bandwidth and nothing else, the time of a round is a
  // latency and the bytes that a member sends in it.
  for (const CollectiveAlgorithm* algorithm : collective_algorithms()) {
    for (const int n : {2, 3, 8}) {
      const double rounds = algorithm->traffic(equal_buffers(n, 8e6)).latencies;
      const double expected = rounds * 3e-6 + sent_by_definition(algorithm->op, n, 8e6) / 2e9;
      EXPECT_NEAR(algorithm->closed_form(n, {8e6}, {3e-6}, {2e9}).value, expected, 1e-14)
          << to_text(algorithm->op);
    }
  }
}

TEST(CollectiveAlgorithms, NobodySendsToItselfOrTwiceToOneMemberInARound) {
  for (const CollectiveAlgorithm* algorithm : collective_algorithms()) {
    for (int member = 0; member < 5; ++member) {
      for (const auto& round : algorithm->rounds(member, equal_buffers(5, 10))) {
        std::set<int> to;
        for (const MemberMessage& message : round) {
          EXPECT_NE(message.to, member);
          EXPECT_GE(message.to, 0);
          EXPECT_LT(message.to, 5);
          EXPECT_TRUE(to.insert(message.to).second);
        }
      }
    }
  }
}

TEST(RingAllReduce, PassesAnNthOfTheBufferToTheRightNeighbour2NMinus2Times) {
  const Rounds rounds = algorithm_for(CollectiveOp::kAllReduce).rounds(3, equal_buffers(4, 400));
  ASSERT_EQ(rounds.size(), 6U);
  for (const auto& round : rounds) {
    ASSERT_EQ(round.size(), 1U);
    EXPECT_EQ(round[0].to, 0);
    EXPECT_EQ(round[0].bytes.value, 100);
  }
}

TEST(RingAllGather, PassesWholeShards) {
  const Rounds rounds = algorithm_for(CollectiveOp::kAllGather).rounds(0, equal_buffers(4, 400));
  ASSERT_EQ(rounds.size(), 3U);
  for (const auto& round : rounds) EXPECT_EQ(round.at(0).bytes.value, 400);
}

TEST(Rings, OfUnequalBuffersMoveTheLargest) {
  const std::vector<Bytes> bytes = {{30}, {90}, {60}};
  for (const CollectiveOp op :
       {CollectiveOp::kAllReduce, CollectiveOp::kAllGather, CollectiveOp::kReduceScatter}) {
    const CollectiveAlgorithm& ring = algorithm_for(op);
    expect_same(bytes_by_round(ring, bytes), bytes_by_round(ring, equal_buffers(3, 90)));
    expect_same(bytes_by_round(ring, bytes), bytes_of_traffic(ring, bytes));
  }
}

TEST(DirectAllToAll, SendsAnNthOfItsOwnBufferToEachOther) {
  const CollectiveAlgorithm& direct = algorithm_for(CollectiveOp::kAllToAll);
  // Member 1 holds half of what member 2 holds, member 0 nothing.
  const std::vector<Bytes> bytes = {{0}, {30}, {60}};
  const auto moved = bytes_by_round(direct, bytes);
  EXPECT_EQ(moved.at({1, 0}), 10);
  EXPECT_EQ(moved.at({1, 2}), 10);
  EXPECT_EQ(moved.at({2, 0}), 20);
  EXPECT_EQ(moved.at({2, 1}), 20);
  EXPECT_EQ(moved.at({0, 1}), 0);
  EXPECT_EQ(moved.at({0, 2}), 0);

  auto sent = moved;
  std::erase_if(sent, [](const auto& edge) { return edge.second == 0; });
  expect_same(sent, bytes_of_traffic(direct, bytes));
  // The largest buffer's streams are whole streams.
  EXPECT_EQ(direct.traffic(bytes).volume.value, 20);
}

TEST(DirectAllToAll, OfEmptyBuffersHasNoVolume) {
  const Traffic traffic = algorithm_for(CollectiveOp::kAllToAll).traffic(equal_buffers(4, 0));
  EXPECT_EQ(traffic.volume.value, 0);
  EXPECT_EQ(traffic.latencies, 1);
}

}  // namespace
}  // namespace rehearse
