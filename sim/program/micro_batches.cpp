#include "program/micro_batches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "layout/prefill_passes.hpp"
#include "layout/request_lengths.hpp"

namespace rehearse {

MicroBatches::MicroBatches(const Plan& plan)
    : plan_(plan), decode_parts_(decode_micro_batches(plan)), computed_(computed_lengths(plan)) {
  if (computed_.empty()) return;
  const std::vector<int> prompts = prompt_lengths(plan);
  const int replicas = plan.layout.dense_data();
  for (int replica = 0; replica < replicas; ++replica) {
    const Share own = share_of(plan.batch.sequences, replicas, replica);
    // Replicas without requests come last, and share one place.
    passes_.try_emplace(own.first, prefill_passes(plan, prompts, own));
  }
}

Share MicroBatches::requests(Phase phase, Share own, int part) const {
  if (phase == Phase::kDecode) return share_of(own.count, decode_parts_, part);
  if (computed_.empty()) return share_of(own.count, plan_.batch.micro_batches, part);
  return passes_.at(own.first)[part];
}

std::vector<Slice> MicroBatches::slices(Phase phase, Share own, int part) const {
  const Share share = requests(phase, own, part);
  std::vector<Slice> prompts;
  if (computed_.empty() || share.count == 0) {
    prompts.push_back({1.0 * share.count, 1.0 * plan_.batch.prompt_tokens, 0});
  } else {
    prompts.reserve(share.count);
    for (int at = 0; at < share.count; ++at) {
      prompts.push_back({1, 1.0 * computed_[own.first + share.first + at], 0});
    }
  }
  return phase == Phase::kPrefill ? prompts : next_tokens(prompts);
}

double MicroBatches::group_tokens(Phase phase, int part, int larger, int replicas) const {
  const int least = plan_.batch.sequences / plan_.layout.dense_data();
  const auto tokens = [&](int sequences) { return tokens_of(slices(phase, {0, sequences}, part)); };
  return larger * tokens(least + 1) + (replicas - larger) * tokens(least);
}

std::vector<Share> MicroBatches::shares(const ProcessGroups& groups) const {
  std::vector<Share> share(groups.of_rank.size());
  for (const ProcessGroup& group : groups.groups) {
    if (group.axis != Axis::kData) continue;
    for (int replica = 0; replica < static_cast<int>(group.ranks.size()); ++replica) {
      share[group.ranks[replica]] =
          share_of(plan_.batch.sequences, plan_.layout.dense_data(), replica);
    }
  }
  return share;
}

namespace {

// What padding makes of a copy, at most.
double padding_of(const Capacity& capacity) {
  if (!capacity.limited || capacity.policy != CapacityPolicy::kPad) return 1;
  const double factor =
      capacity.adaptive ? std::max(capacity.factor, capacity.max_factor) : capacity.factor;
  return std::max(1.0, capacity.threshold * factor);
}

// The routing counts copies in int, those of an expert group together.
void check_copies(const Plan& plan, Phase phase, double tokens, double copies_of_token) {
  if (tokens * copies_of_token <= std::numeric_limits<int>::max()) return;
  const char* const field =
      phase == Phase::kPrefill ? "batch.micro_batches" : "batch.decode_micro_batches";
  throw InputError(plan.where.at(field),
                   fmt::format("{}: {:.3g} tokens of a rank enter the experts in one pass, with "
                               "{:.3g} copies of each in the expert group: at most {} can be "
                               "routed at once, so cut the batch into more micro-batches",
                               field, tokens, copies_of_token, std::numeric_limits<int>::max()));
}

}  // namespace

RoutedTokens MicroBatches::routed_tokens(const ProcessGroups& groups, int top_k) const {
  const RankGrid grid(plan_.layout);
  const std::vector<Share> share = shares(groups);
  RoutedTokens result;
  result.groups = plan_.layout.data;
  result.members = expert_group_size(plan_.layout);
  const bool split = expert_tensor_degree(plan_.layout) == plan_.layout.tensor;
  const int slices = split ? 1 : plan_.layout.tensor;
  for (const Phase phase : kPhases) {
    for (int part = 0; part < parts(phase); ++part) {
      result.passes.push_back(
          {phase == Phase::kDecode, part, std::vector<int>(result.groups * result.members, 0)});
    }
  }
  const double copies_of_token = padding_of(plan_.capacity) * top_k * result.members;
  // Of one phase: the tokens that a rank holds, in every part.
  const auto fill = [&](Phase phase, Rank rank, int slice, int place) {
    for (int part = 0; part < parts(phase); ++part) {
      const double all = tokens_of(this->slices(phase, share[rank], part));
      check_copies(plan_, phase, all, copies_of_token / slices);
      result.passes[pass_number(phase, part)].tokens[place] =
          share_of(static_cast<int>(all), slices, slice).count;
    }
  };
  for (const ProcessGroup& group : groups.groups) {
    const Coordinates at = grid.coordinates(group.ranks.front());
    if (group.axis != Axis::kExpert || at.pipeline != 0 || at.tensor != 0) continue;
    for (int member = 0; member < result.members; ++member) {
      const Rank rank = group.ranks[member];
      const int slice = split ? 0 : grid.coordinates(rank).tensor;
      const int place = at.data * result.members + member;
      for (const Phase phase : kPhases) fill(phase, rank, slice, place);
    }
  }
  return result;
}

}  // namespace rehearse
