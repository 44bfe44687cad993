// Programs written by hand: one program per rank, instructions in the order of the calls.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "program/program.hpp"

namespace rehearse {

class SmallPrograms {
 public:
  // Every rank is in one group of all ranks on every axis, until divide().
  explicit SmallPrograms(int ranks);

  // Collectives use this algorithm for its operation. Until then: ring, and direct for all_to_all,
  // gather and scatter.
  void use(const CollectiveAlgorithm& algorithm);

  // Collectives run as the library runs them.
  void use(const CollectiveLibrary& library);

  // The groups of an axis.
  void divide(Axis axis, const std::vector<std::vector<Rank>>& groups);

  // FLOPs of a compute that takes `seconds` on a SmallGpu. Returns the instruction's index.
  int compute(Rank rank, double seconds, const std::vector<int>& waits = {});

  // The following return the slot that records the communication.
  int collective(Rank rank, CollectiveOp op, double bytes, const std::vector<int>& waits = {},
                 Axis axis = Axis::kTensor, Stream stream = Stream::kTensor);
  // The rank's last collective, an all_to_all, splits its buffer so.
  void split_last(Rank rank, const std::vector<Bytes>& to_member);
  int send(Rank from, Rank to, double bytes, const std::vector<int>& waits = {});
  // It expects what the send that it belongs to brings.
  int receive(Rank to, Rank from);

  // The collective on every rank of every group of the axis.
  void collective_on_all(CollectiveOp op, double bytes, Axis axis = Axis::kTensor,
                         Stream stream = Stream::kTensor);

  // The rank executes its instructions so many times.
  void repeat(Rank rank, int times);

  int last(Rank rank) const;  // index of the rank's last instruction
  Instruction& at(Rank rank, int instruction);
  int ranks() const { return static_cast<int>(programs_.ranks.size()); }

  const Programs& programs() const { return programs_; }

 private:
  struct Messages {
    std::vector<double> sent;   // bytes
    std::vector<int> received;  // index of the instruction
  };
  int add(Rank rank, Instruction instruction, const std::vector<int>& waits);
  void expect_sent(Rank from, Rank to);

  Programs programs_;
  std::map<std::pair<Rank, Rank>, Messages> messages_;
};

}  // namespace rehearse
