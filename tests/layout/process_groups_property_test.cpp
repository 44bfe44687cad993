// Laws of the rank grid and its groups, for every order and many degrees.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "layout/layout.hpp"

namespace rehearse {
namespace {

Layout draw_layout() {
  const auto degree = [] { return *rc::gen::inRange(1, 5); };
  Layout layout;
  layout.tensor = degree();
  layout.pipeline = degree();
  layout.data = degree();
  layout.expert = degree();
  layout.expert_tensor = *rc::gen::element(0, 1);
  std::vector<std::string> axes = {"tp", "cp", "ep", "dp", "pp"};
  for (int place = 4; place > 0; --place) {
    std::swap(axes[place], axes[*rc::gen::inRange(0, place + 1)]);
  }
  layout.order = axes[0] + "-" + axes[1] + "-" + axes[2] + "-" + axes[3] + "-" + axes[4];
  return layout;
}

// The first coordinates of a group's members must agree on all but what its axis spans.
Coordinates fixed_part(Coordinates at, Axis axis, const Layout& layout) {
  switch (axis) {
    case Axis::kTensor:
      at.tensor = 0;
      break;
    case Axis::kExpert:  // whole experts spread over the tensor ranks, too
      at.expert = 0;
      if (layout.expert_tensor == 1) at.tensor = 0;
      break;
    case Axis::kPipeline:
      at.pipeline = 0;
      break;
    case Axis::kData:  // the dense weights have a replica per data and expert coordinate
      at.data = at.expert = 0;
      break;
    default:
      at.data = 0;
  }
  return at;
}

int group_size(Axis axis, const Layout& layout) {
  switch (axis) {
    case Axis::kTensor:
      return layout.tensor;
    case Axis::kExpert:
      return layout.expert * (layout.expert_tensor == 1 ? layout.tensor : 1);
    case Axis::kPipeline:
      return layout.pipeline;
    case Axis::kData:
      return layout.data * layout.expert;
    default:
      return layout.data;
  }
}

RC_GTEST_PROP(RankGrid, CoordinatesGiveTheRankBack, ()) {
  const Layout layout = draw_layout();
  const RankGrid grid(layout);
  RC_ASSERT(grid.size() == layout.gpus());
  for (Rank rank = 0; rank < grid.size(); ++rank) {
    const Coordinates at = grid.coordinates(rank);
    RC_ASSERT(grid.rank(at) == rank);
    RC_ASSERT(at.tensor < layout.tensor && at.expert < layout.expert && at.context == 0);
    RC_ASSERT(at.data < layout.data && at.pipeline < layout.pipeline);
  }
}

RC_GTEST_PROP(ProcessGroups, OfEveryAxisPartitionTheWorld, ()) {
  const Layout layout = draw_layout();
  const ProcessGroups groups = build_groups(layout);
  std::array<std::vector<Rank>, kAxes> members;
  for (const ProcessGroup& group : groups.groups) {
    RC_ASSERT(std::is_sorted(group.ranks.begin(), group.ranks.end()));
    std::vector<Rank>& all = members[static_cast<int>(group.axis)];
    all.insert(all.end(), group.ranks.begin(), group.ranks.end());
    for (const Rank rank : group.ranks) {
      RC_ASSERT(&groups.of(rank, group.axis) == &group);
    }
  }
  std::vector<Rank> world(layout.gpus());
  std::iota(world.begin(), world.end(), 0);
  for (std::vector<Rank>& all : members) {
    std::sort(all.begin(), all.end());
    RC_ASSERT(all == world);
  }
}

RC_GTEST_PROP(ProcessGroups, MembersDifferOnlyAlongTheirAxis, ()) {
  const Layout layout = draw_layout();
  const RankGrid grid(layout);
  for (const ProcessGroup& group : build_groups(layout).groups) {
    RC_ASSERT(static_cast<int>(group.ranks.size()) == group_size(group.axis, layout));
    const Coordinates first = fixed_part(grid.coordinates(group.ranks[0]), group.axis, layout);
    for (const Rank rank : group.ranks) {
      RC_ASSERT(fixed_part(grid.coordinates(rank), group.axis, layout) == first);
    }
  }
}

RC_GTEST_PROP(Share, SharesAddUpAndDifferByAtMostOne, ()) {
  const int total = *rc::gen::inRange(0, 1000);
  const int parts = *rc::gen::inRange(1, 50);
  int next = 0;
  int before = share_of(total, parts, 0).count;
  for (int index = 0; index < parts; ++index) {
    const Share share = share_of(total, parts, index);
    RC_ASSERT(share.first == next);
    RC_ASSERT(share.count == total / parts || share.count == total / parts + 1);
    RC_ASSERT(share.count <= before);  // the first shares are the larger ones
    before = share.count;
    next += share.count;
  }
  RC_ASSERT(next == total);
}

}  // namespace
}  // namespace rehearse
