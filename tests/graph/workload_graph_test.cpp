// The graph as a data structure: inputs, liveness, and what it refuses.
#include "graph/workload_graph.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "graph/small_models.hpp"

namespace rehearse {
namespace {

using Order = std::vector<int>;

Node compute(double result) {
  Operator op;
  op.result = Bytes{result};
  return {"compute", 0, op};
}

Node collective(CollectiveOp op, double result) {
  return {"collective", 0, Collective{op, Axis::kTensor, Bytes{7}, Bytes{result}}};
}

Node message(Message::Kind kind, double bytes) {
  return {"message", -1, Message{kind, 1, {bytes}}};
}

Bytes peak(const WorkloadGraph& graph) { return graph.peak_live_bytes(); }

Order inputs(const WorkloadGraph& graph, int node) {
  return {graph.inputs(node).begin(), graph.inputs(node).end()};
}

TEST(WorkloadGraph, KeepsInputsEachOnceAndAscending) {
  WorkloadGraph graph;
  const int a = graph.add(compute(1), {});
  const int b = graph.add(compute(1), {});
  const int c = graph.add(compute(1), {b, a, b});
  const int d = graph.add(compute(1), {a});
  EXPECT_EQ(inputs(graph, c), (Order{a, b}));
  EXPECT_EQ(inputs(graph, a), Order{});
  EXPECT_EQ(inputs(graph, d), Order{a});
  EXPECT_EQ(graph.size(), 4);
}

TEST(WorkloadGraph, RefusesInputsThatAreNotEarlierNodes) {
  WorkloadGraph graph;
  graph.add(compute(1), {});
  EXPECT_THROW(graph.add(compute(1), {1}), InternalError);  // itself
  WorkloadGraph other;
  other.add(compute(1), {});
  EXPECT_THROW(other.add(compute(1), {5}), InternalError);
  EXPECT_THROW(other.add(compute(1), {-1}), InternalError);
}

TEST(PeakLiveBytes, ResultsLiveFromTheirNodeToTheirLastConsumer) {
  //  a (10) -> b (20) -> c (30) -> e (1)     a + b = 30, b + c = 50 without a's second consumer;
  //      \---------------/                   a lives until c: 10 + 20 + 30 = 60; c + e = 31
  WorkloadGraph graph;
  const int a = graph.add(compute(10), {});
  const int b = graph.add(compute(20), {a});
  const int c = graph.add(compute(30), {a, b});
  graph.add(compute(1), {c});
  EXPECT_EQ(peak(graph).value, 60);
}

TEST(PeakLiveBytes, AnInPlaceCollectivePassesOnItsInputsBuffer) {
  // a (10) -> all_reduce -> b (5): the buffer of a lives until b, and once: 15, not 20.
  WorkloadGraph in_place;
  int a = in_place.add(compute(10), {});
  int reduced = in_place.add(collective(CollectiveOp::kAllReduce, 0), {a});
  int again = in_place.add(collective(CollectiveOp::kAllReduce, 0), {reduced});
  in_place.add(compute(5), {again});
  EXPECT_EQ(peak(in_place).value, 15);

  // a (10) -> all_gather (20) -> b (5): 10 + 20, then 20 + 5.
  WorkloadGraph out_of_place;
  a = out_of_place.add(compute(10), {});
  const int gathered = out_of_place.add(collective(CollectiveOp::kAllGather, 20), {a});
  out_of_place.add(compute(5), {gathered});
  EXPECT_EQ(peak(out_of_place).value, 30);
}

TEST(PeakLiveBytes, ResultsThatNobodyConsumesDieAtOnce) {
  WorkloadGraph graph;
  graph.add(compute(10), {});
  graph.add(compute(15), {});
  EXPECT_EQ(peak(graph).value, 15);
}

TEST(PeakLiveBytes, ReceivedMessagesAreHeldAndSentOnesAreNot) {
  WorkloadGraph graph;
  const int received = graph.add(message(Message::Kind::kReceive, 8), {});
  const int result = graph.add(compute(4), {received});
  graph.add(message(Message::Kind::kSend, 100), {result, received});
  EXPECT_EQ(peak(graph).value, 12);
}

TEST(PeakLiveBytes, DependsOnTheOrder) {
  // Two chains of 10 -> 1, joined: one after the other 10 + 1 = 11 (then 1 + 10 + 1); both heads
  // first 20, then 21.
  WorkloadGraph chains;
  const int a = chains.add(compute(10), {});
  const int b = chains.add(compute(1), {a});
  const int c = chains.add(compute(10), {});
  const int d = chains.add(compute(1), {c});
  chains.add(compute(0), {b, d});
  EXPECT_EQ(peak(chains).value, 12);

  WorkloadGraph heads_first;
  const int e = heads_first.add(compute(10), {});
  const int f = heads_first.add(compute(10), {});
  const int g = heads_first.add(compute(1), {e});
  const int h = heads_first.add(compute(1), {f});
  heads_first.add(compute(0), {g, h});
  EXPECT_EQ(peak(heads_first).value, 21);
}

TEST(BuildPass, TakesNoCollectiveForAGroupOfOne) {
  const Model model = small_moe_model(2);
  PassShape shape;
  shape.slices = {Slice{2, 3, 0}};
  shape.group_tokens = 6;
  shape.layers = {0, 2};
  const WorkloadGraph graph = build_pass(model, Layout{}, shape);
  for (int index = 0; index < graph.size(); ++index) {
    EXPECT_TRUE(std::holds_alternative<Operator>(graph.node(index).work)) << graph.node(index).name;
  }
}

// The live activations of one dense layer on one rank, 2 sequences of 3 tokens, rows of 8 x 2 = 16
// bytes: 6 x 16 = 96 for the embedding, which is the residual and lives to the end.
TEST(BuildPass, HoldsResidualAndTheWidestPairOfResults) {
  // norm 96; QKV 6 x 16 columns x 2 = 192; attention 6 x 8 x 2 = 96; projection 96; FFN up 6 x 16 x
  // 2 = 192; FFN down 96. Residual + the two results around a node:
  //   norm -> QKV: 96 + 96 + 192 = 384;   QKV -> attention: 96 + 192 + 96 = 384;
  //   norm -> FFN up: 384
  PassShape shape;
  shape.slices = {Slice{2, 3, 0}};
  shape.layers = {0, 1};
  const WorkloadGraph graph = build_pass(small_dense_model(), Layout{}, shape);
  EXPECT_EQ(peak(graph).value, 384);
}

}  // namespace
}  // namespace rehearse
