// What a replica does in a run: which requests enter which pass. The program builder makes the
// actions of each stage of it.
#pragma once

#include <vector>

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

struct ReplicaWork {
  int sequences = 0;
  std::vector<PassWork> prefills;
  int steps = 0;                  // of decoding
  std::vector<PassWork> decodes;  // of one step, by micro-batch
};

}  // namespace rehearse
