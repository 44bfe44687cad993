#include "collectives/operation.hpp"

namespace rehearse {

const char* to_text(CollectiveOp op) {
  constexpr const char* kNames[] = {"all_reduce", "all_gather", "reduce_scatter",
                                    "all_to_all", "broadcast",  "reduce",
                                    "gather",     "scatter",    "barrier"};
  return kNames[static_cast<int>(op)];
}

}  // namespace rehearse
