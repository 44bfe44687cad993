#include "program/micro_batches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

std::vector<int> MicroBatches::prompts(Phase phase, Share own, int part) const {
  if (computed_.empty()) return {};
  const Share share = requests(phase, own, part);
  const auto begin = computed_.begin() + own.first + share.first;
  return {begin, begin + share.count};
}

double MicroBatches::tokens(Phase phase, Share own, int part) const {
  const int count = requests(phase, own, part).count;
  if (phase == Phase::kDecode) return count;
  if (computed_.empty()) return static_cast<double>(count) * plan_.batch.prompt_tokens;
  double sum = 0;
  for (const int length : prompts(phase, own, part)) sum += length;
  return sum;
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
  const std::array<int, 2> parts = {plan_.batch.micro_batches, decode_parts_};
  for (int phase = 0; phase < 2; ++phase) {
    result.tokens[phase].assign(parts[phase], std::vector<int>(result.groups * result.members, 0));
  }
  const double copies_of_token = padding_of(plan_.capacity) * top_k * result.members;
  // Of one phase: the tokens that a rank holds, in every part.
  const auto fill = [&](Phase phase, Rank rank, int slice, int place) {
    std::vector<std::vector<int>>& by_part = result.tokens[static_cast<int>(phase)];
    const int count = static_cast<int>(by_part.size());
    for (int part = 0; part < count; ++part) {
      const double all = tokens(phase, share[rank], part);
      check_copies(plan_, phase, all, copies_of_token / slices);
      by_part[part][place] = share_of(static_cast<int>(all), slices, slice).count;
    }
  };
  for (const ProcessGroup& group : groups.groups) {
    const Coordinates at = grid.coordinates(group.ranks.front());
    if (group.axis != Axis::kExpert || at.pipeline != 0 || at.tensor != 0) continue;
    for (int member = 0; member < result.members; ++member) {
      const Rank rank = group.ranks[member];
      const int slice = split ? 0 : grid.coordinates(rank).tensor;
      const int place = at.data * result.members + member;
      fill(Phase::kPrefill, rank, slice, place);
      fill(Phase::kDecode, rank, slice, place);
    }
  }
  return result;
}

}  // namespace rehearse
