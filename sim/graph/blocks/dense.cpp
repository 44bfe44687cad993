// A dense FFN: up by columns, down by rows, one sum over the tensor ranks (Shoeybi et al. 2019,
// Megatron-LM).
#include "graph/blocks/blocks.hpp"

namespace rehearse {

int dense_block(PassFrame& frame, int hidden) {
  const Model& model = frame.model();
  const int normed = frame.gather(frame.block_norm(hidden));
  const int up =
      frame.add("ffn up", dense_up(model, frame.layer(), frame.tokens(), frame.tensor()), {normed});
  return frame.reduce(frame.add(
      "ffn down", dense_down(model, frame.layer(), frame.tokens(), frame.tensor()), {up}));
}

}  // namespace rehearse
