#include "program/rank_copies.hpp"

#include <algorithm>
#include <numeric>

#include "base/error.hpp"

namespace rehearse {
namespace {

// Replicas of the experts exchange nothing, and are what these axes join.
bool joins_replicas(int axis) {
  return axis == static_cast<int>(Axis::kData) || axis == static_cast<int>(Axis::kExpertData);
}

}  // namespace

RankCopies::RankCopies(const Programs& programs, Which which)
    : programs_(programs), all_(which == Which::kAll) {
  const int images = static_cast<int>(programs.ranks.size());
  if (all_ && !programs.image_of.empty()) {
    image_of_ = programs.image_of;
    replicas_ = programs.alike_replicas();
  } else {
    image_of_.resize(images);
    std::iota(image_of_.begin(), image_of_.end(), 0);
  }
  SIM_CHECK(size() == images * replicas_, "replicas that are alike have as many ranks");
  copies_.resize(image_of_.size());
  std::vector<int> known(images, 0);
  for (Rank copy = 0; copy < size(); ++copy) {
    const Rank image = image_of_[copy];
    replica_of_.push_back(known[image]);
    copies_[image * replicas_ + known[image]++] = copy;
  }
  number_dense_replicas();
}

void RankCopies::number_dense_replicas() {
  place_.resize(programs_.ranks.size());
  for (const ProcessGroup& group : programs_.groups.groups) {
    if (group.axis != Axis::kData) continue;
    for (std::size_t at = 0; at < group.ranks.size(); ++at) {
      place_[group.ranks[at]] = static_cast<int>(at);
    }
    // The grid of ranks orders the members of all groups alike.
    if (dense_replica_of_.empty()) dense_replica_of_ = order_of_copies(group);
  }
}

std::vector<int> RankCopies::order_of_copies(const ProcessGroup& group) const {
  std::vector<Rank> members;
  for (const Rank image : group.ranks) {
    for (int replica = 0; replica < replicas_; ++replica) {
      members.push_back(copy_of(image, replica));
    }
  }
  std::vector<Rank> sorted = members;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int> order;
  order.reserve(members.size());
  for (const Rank member : members) {
    const auto at = std::lower_bound(sorted.begin(), sorted.end(), member);
    order.push_back(static_cast<int>(at - sorted.begin()));
  }
  return order;
}

int RankCopies::dense_replica_of(Rank copy) const {
  const int of_service = programs_.ranks[image_of_[copy]].replica;
  if (of_service >= 0) return of_service;
  return dense_replica_of_[place_[image_of_[copy]] * replicas_ + replica_of_[copy]];
}

RankEntry RankCopies::entry(Rank copy) const {
  RankEntry entry = programs_.ranks[image_of_[copy]];
  if (replicas_ == 1) return entry;
  entry.gpu = copy;
  entry.at.data = replica_of_[copy];
  entry.sequences.first = dense_replica_of(copy) * entry.sequences.count;
  return entry;
}

bool RankCopies::divides(int Coordinates::*axis) const {
  if (axis == &Coordinates::data && replicas_ > 1) return true;
  return std::any_of(programs_.ranks.begin(), programs_.ranks.end(),
                     [axis](const RankEntry& entry) { return entry.at.*axis != 0; });
}

ProcessGroups RankCopies::groups() const {
  if (replicas_ == 1) return programs_.groups;
  ProcessGroups all;
  all.of_rank.resize(image_of_.size());
  std::vector<int> known(programs_.groups.groups.size() * replicas_, -1);
  for (int axis = 0; axis < kAxes; ++axis) {
    for (Rank copy = 0; copy < size(); ++copy) {
      const int group = programs_.groups.of_rank[image_of_[copy]][axis];
      int& index = known[group * replicas_ + (joins_replicas(axis) ? 0 : replica_of_[copy])];
      if (index < 0) {
        index = static_cast<int>(all.groups.size());
        all.groups.push_back({static_cast<Axis>(axis), {}});
      }
      all.groups[index].ranks.push_back(copy);
      all.of_rank[copy][axis] = index;
    }
  }
  return all;
}

}  // namespace rehearse
