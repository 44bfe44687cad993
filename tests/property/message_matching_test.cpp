// Whatever the layout, ranks agree on what they exchange: a mismatch would be a deadlock or a wrong
// amount in the replay.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "program/lower.hpp"
#include "property/random_plans.hpp"

namespace rehearse {
namespace {

constexpr int kGpus = 48;

using Channel = std::pair<Rank, Rank>;

RandomPlan draw_any_plan() {
  return *rc::gen::arbitrary<bool>() ? draw_plan(kGpus) : draw_plan_of_lengths(kGpus);
}

RC_GTEST_PROP(Matching, EverySendHasItsReceive, ()) {
  const RandomPlan drawn = draw_any_plan();
  const Programs programs = lower(drawn.model, drawn.plan);
  std::map<Channel, std::vector<double>> sent;
  std::map<Channel, std::vector<double>> received;
  for (Rank rank = 0; rank < static_cast<Rank>(programs.ranks.size()); ++rank) {
    for_each_execution(programs.of(rank), [&](const Instruction& at, int step) {
      const bool send = at.kind == Instruction::Kind::kSend;
      if (!send && at.kind != Instruction::Kind::kReceive) return;
      const Rank peer = programs.groups.of(rank, Axis::kPipeline).ranks[at.peer_stage];
      RC_ASSERT(programs.of(peer).stage == at.peer_stage);
      (send ? sent[{rank, peer}] : received[{peer, rank}]).push_back(at.bytes.at(step));
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
  for_each_execution(programs.of(rank), [&](const Instruction& at, int step) {
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

// Waits refer to transfers posted before in the same pass, at a slot nobody has recorded since.
RC_GTEST_PROP(Matching, WaitsReferToTransfersOfTheSamePass, ()) {
  const RandomPlan drawn = draw_any_plan();
  const Programs programs = lower(drawn.model, drawn.plan);
  for (const Program& program : programs.programs) {
    std::vector<int> recorded_in(program.slots, -1);
    for (const Instruction& at : program.instructions) {
      for (const int slot : at.waits) {
        if (slot >= 0) RC_ASSERT(recorded_in.at(slot) == at.pass);
      }
      if (at.slot < 0) continue;
      RC_ASSERT(recorded_in.at(at.slot) != at.pass);
      recorded_in[at.slot] = at.pass;
    }
  }
}

// A pass without tokens is run for others' sake only: those with whom the replica has all-to-alls.
RC_GTEST_PROP(Matching, APassHasTokensOrServesExpertsOfOthers, ()) {
  const RandomPlan drawn = draw_any_plan();
  const Programs programs = lower(drawn.model, drawn.plan);
  const auto tokens = [&](Rank rank, const Pass& wanted) {
    double sum = 0;
    for (const Pass& pass : programs.of(rank).passes) {
      if (pass.phase == wanted.phase && pass.micro_batch == wanted.micro_batch) sum += pass.tokens;
    }
    return sum;
  };
  for (Rank rank = 0; rank < static_cast<Rank>(programs.ranks.size()); ++rank) {
    const bool shares = drawn.model.is_moe_layer(drawn.model.layers - 1);
    const std::vector<Rank> sharers =
        shares ? programs.groups.of(rank, Axis::kExpert).ranks : std::vector<Rank>{rank};
    for (const Pass& pass : programs.of(rank).passes) {
      const bool serves = std::any_of(sharers.begin(), sharers.end(),
                                      [&](Rank other) { return tokens(other, pass) > 0; });
      if (!serves) RC_FAIL(drawn.text());
    }
  }
}

}  // namespace
}  // namespace rehearse
