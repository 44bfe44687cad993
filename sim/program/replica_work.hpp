// What a replica does in a run: its batches one after the other, and which of their requests enter
// which pass. The program builder makes the actions of each stage of it.
#pragma once

#include <vector>

#include "base/units.hpp"
#include "layout/layout.hpp"
#include "model/slice.hpp"

namespace rehearse {

struct PassWork {
  Share sequences;            // Action::sequences
  std::vector<Slice> slices;  // PassShape::slices
  double group_tokens = 0;    // PassShape::group_tokens
  // A replica without tokens in a micro-batch runs a pass of it only where others send tokens to
  // the experts that they share: its ranks have to join the all-to-alls, and engines run a dummy
  // batch. Nobody waits for any other empty pass.
  bool runs = true;
};

// Decode steps in a row with the same requests.
struct DecodeRun {
  int first_step = 0;
  int steps = 0;
  std::vector<PassWork> parts;  // by micro-batch
};

struct BatchWork {
  Seconds not_before;
  int first_pass = 0;  // Action::about of its first: those of prefill are first, then of decoding
  std::vector<PassWork> prefills;
  std::vector<DecodeRun> decodes;
  // By decode micro-batch: it begins when all requests before this one (counted as
  // PassWork::sequences of the prefills) have their first token.
  std::vector<int> decode_ends;

  int passes() const { return static_cast<int>(prefills.size() + decode_ends.size()); }
  // Of those that a replica runs, the last.
  const PassWork& last() const;
};

struct ReplicaWork {
  std::vector<BatchWork> batches;
  int sequences = 0;          // over all batches
  std::vector<int> requests;  // Program::requests
};

}  // namespace rehearse
