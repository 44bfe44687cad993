// What passes between two stages: the residual stream of the rank's tokens.
#include "graph/blocks/blocks.hpp"

namespace rehearse {

int receive_block(PassFrame& frame) { return frame.receive_activations(frame.shape().stage - 1); }

void send_block(PassFrame& frame, int hidden) {
  frame.send_activations(frame.shape().stage + 1, hidden);
}

}  // namespace rehearse
