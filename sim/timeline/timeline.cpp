#include "timeline/timeline.hpp"

#include "base/error.hpp"

namespace rehearse {

const char* to_text(MemoryCategory category) {
  switch (category) {
    case MemoryCategory::kWeights:
      return "weights";
    case MemoryCategory::kKvCache:
      return "kv_cache";
    case MemoryCategory::kActivations:
      return "activations";
    case MemoryCategory::kCommunicationBuffers:
      return "communication_buffers";
    case MemoryCategory::kCount:
      break;
  }
  SIM_CHECK(false, "this memory category has no text");
}

}  // namespace rehearse
