// Whatever the layout, ranks agree on what they exchange: a mismatch would be a deadlock or a wrong
// amount in the replay.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include "program/lower.hpp"
#include "property/random_plans.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 48;

using Channel = std::tuple<Rank, Rank, int>;  // from, to, lane

RandomPlan draw_any_plan() {
  return *rc::gen::arbitrary<bool>() ? draw_plan(kGpus) : draw_plan_of_lengths(kGpus);
}

RC_GTEST_PROP(Matching, EverySendHasItsReceive, ()) {
  const RandomPlan drawn = draw_any_plan();
  const Programs programs = lower(drawn.model, drawn.plan);
  // In the order of each channel: bytes, and what the message is about.
  using Messages = std::vector<std::pair<double, int>>;
  std::map<Channel, Messages> sent;
  std::map<Channel, Messages> received;
  for (Rank rank = 0; rank < static_cast<Rank>(programs.ranks.size()); ++rank) {
    for_each_action(programs.of(rank), [&](const Action& action, int step) {
      for (const Instruction& at : programs.pass_of(action).instructions) {
        const bool send = at.kind == Instruction::Kind::kSend;
        if (!send && at.kind != Instruction::Kind::kReceive) continue;
        const Rank peer = programs.peer_of(rank, at);
        const int lane = programs.lane_of(action, at);
        (send ? sent[{rank, peer, lane}] : received[{peer, rank, lane}])
            .emplace_back(at.bytes.at(step), action.about);
      }
    });
  }
  if (sent != received) RC_FAIL(drawn.text());
  RC_ASSERT(sent.empty() == (drawn.plan.layout.pipeline == 1));
}

// What a rank posts on one axis: operation and bytes; all-to-all takes a different buffer from each
// member, the others need equal ones.
using Post = std::tuple<CollectiveOp, double>;

std::vector<Post> posts_of(const Programs& programs, Rank rank, Axis axis) {
  std::vector<Post> posts;
  for_each_execution(programs, programs.of(rank), [&](const Instruction& at, int step) {
    if (at.kind != Instruction::Kind::kCollective || at.axis != axis) return;
    posts.emplace_back(at.op, at.op == CollectiveOp::kAllToAll ? 0 : at.bytes.at(step));
  });
  return posts;
}

RC_GTEST_PROP(Matching, MembersOfAGroupPostTheSameCollectives, ()) {
  const RandomPlan drawn = draw_any_plan();
  const Programs programs = lower(drawn.model, drawn.plan);
  for (const ProcessGroup& group : programs.groups.groups) {
    const std::vector<Post> first = posts_of(programs, group.ranks.front(), group.axis);
    if (group.ranks.size() == 1) RC_ASSERT(first.empty());
    for (const Rank rank : group.ranks) {
      if (posts_of(programs, rank, group.axis) != first) RC_FAIL(drawn.text());
    }
  }
}

// Waits refer to transfers that were posted before in the same execution of a pass.
RC_GTEST_PROP(Matching, WaitsReferToTransfersOfTheSamePass, ()) {
  const RandomPlan drawn = draw_any_plan();
  const Programs programs = lower(drawn.model, drawn.plan);
  for (const PassProgram& pass : programs.passes) {
    std::vector<bool> recorded(pass.slots, false);
    for (Cursor cursor = pass.first(); !pass.is_over(cursor); pass.advance(cursor)) {
      const Instruction& at = pass.instructions[cursor.at];
      for (const int slot : pass.waits_of(at)) RC_ASSERT(recorded.at(slot));
      if (at.slot >= 0) recorded.at(at.slot) = true;
    }
  }
}

// Of the whole graph of an action's pass, in a model without experts.
double flops_of_graph(const RandomPlan& drawn, const Action& action) {
  PassShape shape;
  const double prompt = drawn.plan.batch.prompt_tokens;
  shape.slices = {Slice{1.0 * action.sequences.count, prompt, 0}};
  if (action.phase == Phase::kDecode) shape.slices = next_tokens(shape.slices);
  shape.layers = action.layers;
  shape.stage = action.stage;
  const WorkloadGraph graph = build_pass(drawn.model, drawn.plan.layout, shape);
  double whole = 0;
  for (int node = 0; node < graph.size(); ++node) {
    if (const auto* op = std::get_if<Operator>(&graph.node(node).work)) whole += op->flops().base;
  }
  return whole;
}

// Written out layer by layer, a pass has the operators and communication of its whole graph.
RC_GTEST_PROP(Passes, StandForEveryLayerOfTheirChunk, ()) {
  const RandomPlan drawn = draw_plan(kGpus);
  const Programs programs = lower(drawn.model, drawn.plan);
  for (const Program& program : programs.programs) {
    for (const Action& action : program.actions) {
      const PassProgram& pass = programs.pass_of(action);
      if (!pass.is_pass) continue;
      std::vector<int> layers;
      double flops = 0;
      for (Cursor cursor = pass.first(); !pass.is_over(cursor); pass.advance(cursor)) {
        const int layer = action.layer(pass.layer_at(cursor));
        if (layer >= 0 && (layers.empty() || layers.back() != layer)) layers.push_back(layer);
        flops += pass.instructions[cursor.at].flops.base;
      }
      std::vector<int> expected(action.layers.count);
      std::iota(expected.begin(), expected.end(), action.layers.first);
      RC_ASSERT(layers == expected);
      if (drawn.model.moe) continue;  // the experts' FLOPs are compared elsewhere
      const double whole = flops_of_graph(drawn, action);
      RC_ASSERT(std::abs(flops - whole) <= 1e-9 * whole);
    }
  }
}

// A pass without tokens is run for others' sake only: those with whom the replica has all-to-alls.
RC_GTEST_PROP(Matching, APassHasTokensOrServesExpertsOfOthers, ()) {
  const RandomPlan drawn = draw_any_plan();
  const Programs programs = lower(drawn.model, drawn.plan);
  const auto tokens = [&](Rank rank, const Action& wanted) {
    double sum = 0;
    for (const Action& action : programs.of(rank).actions) {
      const PassProgram& pass = programs.pass_of(action);
      const bool same =
          pass.is_pass && action.phase == wanted.phase && action.micro_batch == wanted.micro_batch;
      if (same) sum += pass.tokens;
    }
    return sum;
  };
  for (Rank rank = 0; rank < static_cast<Rank>(programs.ranks.size()); ++rank) {
    const bool shares = drawn.model.is_moe_layer(drawn.model.layers - 1);
    const std::vector<Rank> sharers =
        shares ? programs.groups.of(rank, Axis::kExpert).ranks : std::vector<Rank>{rank};
    for (const Action& action : programs.of(rank).actions) {
      if (!programs.pass_of(action).is_pass) continue;
      const bool serves = std::any_of(sharers.begin(), sharers.end(),
                                      [&](Rank other) { return tokens(other, action) > 0; });
      if (!serves) RC_FAIL(drawn.text());
    }
  }
}

}  // namespace
}  // namespace rehearse
