// The first stage begins with the embedding: vocabulary-parallel, so that the tensor ranks' rows
// are partial sums.
#include "graph/blocks/blocks.hpp"

namespace rehearse {

int embedding_block(PassFrame& frame) {
  return frame.reduce(
      frame.add("embedding", embedding(frame.model(), frame.tokens(), frame.tensor()), {}));
}

}  // namespace rehearse
