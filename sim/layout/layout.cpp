#include "layout/layout.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include "base/error.hpp"

namespace rehearse {
namespace {

constexpr std::array<const char*, 5> kGridAxes = {"tp", "cp", "ep", "dp", "pp"};

// The coordinates that vary inside a group of `axis`, as a mask over (tensor, context, expert,
// data, pipeline).
std::array<bool, 5> varying(Axis axis, const Layout& layout) {
  const bool experts_over_tensor = expert_tensor_degree(layout) == 1;
  switch (axis) {
    case Axis::kTensor:
      return {true, false, false, false, false};
    case Axis::kExpert:
      return {experts_over_tensor, false, true, false, false};
    case Axis::kPipeline:
      return {false, false, false, false, true};
    case Axis::kData:
      return {false, false, true, true, false};
    case Axis::kExpertData:
      return {false, true, false, true, false};
    case Axis::kCount:
      break;
  }
  return {};
}

}  // namespace

const char* to_text(Axis axis) {
  constexpr const char* kNames[] = {"tp", "ep", "pp", "dp", "edp", "none"};
  return kNames[static_cast<int>(axis)];
}

const char* to_text(PlacementPolicy policy) {
  constexpr const char* kNames[] = {"contiguous", "round_robin", "greedy", "hierarchical"};
  return kNames[static_cast<int>(policy)];
}

std::vector<int> rank_order(const std::string& order) {
  std::vector<int> axes;
  std::istringstream words(order);
  for (std::string word; std::getline(words, word, '-');) {
    const auto found = std::find(kGridAxes.begin(), kGridAxes.end(), word);
    const int axis = static_cast<int>(found - kGridAxes.begin());
    if (found == kGridAxes.end() || std::count(axes.begin(), axes.end(), axis) > 0) return {};
    axes.push_back(axis);
  }
  return axes.size() == kGridAxes.size() ? axes : std::vector<int>{};
}

RankGrid::RankGrid(const Layout& layout)
    : degree_{layout.tensor, layout.context, layout.expert, layout.data, layout.pipeline} {
  const std::vector<int> order = rank_order(layout.order);
  SIM_CHECK(order.size() == degree_.size(), "rank order was not checked: " + layout.order);
  for (const int axis : order) {
    stride_[axis] = size_;
    size_ *= degree_[axis];
  }
}

Coordinates RankGrid::coordinates(Rank rank) const {
  const auto on = [&](int axis) { return rank / stride_[axis] % degree_[axis]; };
  return {on(0), on(1), on(2), on(3), on(4)};
}

Rank RankGrid::rank(const Coordinates& at) const {
  return at.tensor * stride_[0] + at.context * stride_[1] + at.expert * stride_[2] +
         at.data * stride_[3] + at.pipeline * stride_[4];
}

Rank ProcessGroup::on_from(Rank member, int places) const {
  const auto count = static_cast<std::ptrdiff_t>(ranks.size());
  const auto own = std::lower_bound(ranks.begin(), ranks.end(), member) - ranks.begin();
  SIM_CHECK(own < count && ranks[own] == member, "a group's ranks ascend, and have their member");
  return ranks[((own + places) % count + count) % count];
}

ProcessGroups build_groups(const Layout& layout) {
  const RankGrid grid(layout);
  ProcessGroups result;
  result.of_rank.resize(grid.size());
  for (int a = 0; a < kAxes; ++a) {
    const Axis axis = static_cast<Axis>(a);
    const std::array<bool, 5> mask = varying(axis, layout);
    std::vector<int> group_at(grid.size(), -1);  // by the group's first rank
    for (Rank rank = 0; rank < grid.size(); ++rank) {
      Coordinates corner = grid.coordinates(rank);
      if (mask[0]) corner.tensor = 0;
      if (mask[1]) corner.context = 0;
      if (mask[2]) corner.expert = 0;
      if (mask[3]) corner.data = 0;
      if (mask[4]) corner.pipeline = 0;
      int& group = group_at[grid.rank(corner)];
      if (group < 0) {
        group = static_cast<int>(result.groups.size());
        result.groups.push_back({axis, {}});
      }
      result.groups[group].ranks.push_back(rank);
      result.of_rank[rank][a] = group;
    }
  }
  return result;
}

Share share_of(int total, int parts, int index) {
  const int small = total / parts;
  const int larger = total % parts;
  return {index * small + std::min(index, larger), small + (index < larger ? 1 : 0)};
}

std::vector<Share> stage_layers(const Layout& layout, int layers) {
  std::vector<Share> stages;
  int first = 0;
  for (int stage = 0; stage < layout.stages(); ++stage) {
    const int count = layout.layers_per_stage.empty()
                          ? share_of(layers, layout.stages(), stage).count
                          : layout.layers_per_stage[stage];
    stages.push_back({first, count});
    first += count;
  }
  return stages;
}

std::vector<Share> chunks_of_rank(const Layout& layout, int layers, int rank) {
  const std::vector<Share> stages = stage_layers(layout, layers);
  std::vector<Share> chunks;
  for (std::size_t stage = rank; stage < stages.size(); stage += layout.pipeline) {
    chunks.push_back(stages[stage]);
  }
  return chunks;
}

int expert_tensor_degree(const Layout& layout) {
  return layout.expert_tensor == 0 ? layout.tensor : layout.expert_tensor;
}

int expert_group_size(const Layout& layout) {
  return layout.expert * (layout.tensor / expert_tensor_degree(layout));
}

int decode_micro_batches(const Plan& plan) {
  if (plan.batch.decode_micro_batches != 0) return plan.batch.decode_micro_batches;
  const int largest = share_of(plan.batch.sequences, plan.layout.dense_data(), 0).count;
  return std::min(plan.layout.pipeline, largest);
}

}  // namespace rehearse
