// What goes over each wire of a torus, and over wires and NICs at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "collectives/collective_algorithm.hpp"

namespace rehearse {
namespace {

std::vector<Bytes> equal_buffers(int n, double bytes) {
  return std::vector<Bytes>(n, Bytes{bytes});
}

GroupShape shape_of(int n, int per_domain) {
  GroupShape shape;
  for (int member = 0; member < n; ++member) shape.domain.push_back(member / per_domain);
  return shape;
}

// Seconds of a schedule whose messages go between neighbours over a wire each, 1 B/s one way.
double over_wires(const Schedule& schedule) {
  double time = 0;
  for (const Step& step : schedule) {
    double most = 0;
    for (const MemberMessage& message : step.messages) most = std::max(most, message.bytes.value);
    time += step.repeat * most;
  }
  return time;
}

// "How to Scale Your Model" (2025): V / (W both ways x sides), of an all_reduce twice that, of an
// all_to_all on one side V / (4 W); without joined ends twice as long. Of s members a side leaves
// (s - 1) / s of it; of an all_to_all, whose buffer is a member's, V is s times as much.
TEST(Torus, TakesTheTimeOfTheBook) {
  struct Case {
    std::vector<TorusSide> sides;
    double gather, exchange;  // of a byte in all; of a byte of each member
  };
  const Case cases[] = {
      {{{16, true}}, 15.0 / 16 / 2, 16.0 / 8},
      {{{16}}, 15.0 / 16, 16.0 / 4},
      {{{16, true}, {16, true}}, 255.0 / 256 / 4, 16.0 / 8},
      {{{4}, {4}}, 15.0 / 16 / 2, 4.0 / 4},
      {{{4, true}, {4, true}, {4, true}}, 63.0 / 64 / 6, 4.0 / 8},
  };
  for (const Case& each : cases) {
    int n = 1;
    for (const TorusSide& side : each.sides) n *= side.members;
    SCOPED_TRACE(n);
    GroupShape shape = shape_of(n, n);
    shape.torus = each.sides;
    const auto time = [&](CollectiveOp op, double bytes) {
      return over_wires(algorithm_named(op, "torus")->schedule(shape, equal_buffers(n, bytes)));
    };
    EXPECT_NEAR(time(CollectiveOp::kReduceScatter, 1), each.gather, 1e-12);
    EXPECT_NEAR(time(CollectiveOp::kAllGather, 1.0 / n), each.gather, 1e-12);
    EXPECT_NEAR(time(CollectiveOp::kAllReduce, 1), 2 * each.gather, 1e-12);
    EXPECT_NEAR(time(CollectiveOp::kAllToAll, 1), each.exchange, 1e-12);
  }
}

TEST(Hierarchical, LoadsNicsAndWiresAtTheSameTime) {
  // 2 servers of 8 and 8 GB: of a member's eighth, half crosses in each of two passes, and over
  // each wire goes an eighth to be added up and an eighth of the sums.
  const GroupShape shape = shape_of(16, 8);
  const CollectiveAlgorithm& algorithm = *algorithm_named(CollectiveOp::kAllReduce, "hierarchical");
  double across = 0;
  double inside = 0;
  for (const Step& step : algorithm.schedule(shape, equal_buffers(16, 8e9))) {
    for (const MemberMessage& message : step.messages) {
      if (message.from != 0) continue;
      if (message.to == 8) across += step.repeat * message.bytes.value;
      if (message.to == 1) inside += step.repeat * message.bytes.value;
    }
  }
  EXPECT_NEAR(across, 1e9, 1);
  EXPECT_NEAR(inside, 2e9, 1);
}

}  // namespace
}  // namespace rehearse
