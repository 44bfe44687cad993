// The ranks of the whole plan. Where the programs are those of one replica that stands for others
// that are alike (Programs::image_of), each rank of the plan is a copy of one that has a program:
// what it is called, who is in its groups and which requests it serves is found here. Programs of
// the whole plan have one copy of each rank.
#pragma once

#include <vector>

#include "program/program.hpp"

namespace rehearse {

class RankCopies {
 public:
  // kSimulated: as if the ranks that have programs were all there are; they keep their numbers.
  enum class Which { kSimulated, kAll };

  // REQUIRES: `programs` outlives this.
  explicit RankCopies(const Programs& programs, Which which = Which::kAll);

  // Copies are counted from 0 in the order of their numbers, and ProcessGroups of groups() name
  // them so; the numbers are those of the whole plan. Both are the same but for kSimulated.
  int size() const { return static_cast<int>(image_of_.size()); }
  Rank number_of(Rank copy) const { return all_ ? copy : programs_.number_of(copy); }
  Rank image_of(Rank copy) const { return image_of_[copy]; }     // the rank with the program
  int replica_of(Rank copy) const { return replica_of_[copy]; }  // among the images' copies

  int replicas() const { return replicas_; }
  Rank copy_of(Rank image, int replica) const { return copies_[image * replicas_ + replica]; }

  // Its dense data-parallel replica: its place in its group on the data axis; of a service, that
  // which RankEntry names.
  int dense_replica_of(Rank copy) const;
  RankEntry entry(Rank copy) const;
  // Whether any of the ranks has another coordinate than 0.
  bool divides(int Coordinates::*axis) const;
  ProcessGroups groups() const;

 private:
  void number_dense_replicas();
  std::vector<int> order_of_copies(const ProcessGroup& group) const;

  const Programs& programs_;
  const bool all_;  // whether ranks have their numbers
  int replicas_ = 1;
  std::vector<Rank> image_of_;
  std::vector<int> replica_of_;
  std::vector<Rank> copies_;           // by image and replica
  std::vector<int> place_;             // by image: in its group on the data axis
  std::vector<int> dense_replica_of_;  // by place and replica
};

}  // namespace rehearse
