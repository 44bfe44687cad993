// Attention of the layer's kind, whose first matrices are split by columns and whose last by rows:
// one sum over the tensor ranks (Shoeybi et al. 2019, Megatron-LM).
#include "graph/blocks/blocks.hpp"
#include "model/attention_kind.hpp"

namespace rehearse {

int attention_block(PassFrame& frame, int hidden) {
  const AttentionKind& kind = *frame.model().kind_of(frame.layer()).attention;
  int node = frame.gather(frame.block_norm(hidden));
  for (const auto& [name, op] :
       kind.operators(frame.model(), frame.layer(), frame.attention_shape(), frame.tensor())) {
    node = frame.add(name, op, {node});
  }
  return frame.reduce(node);
}

}  // namespace rehearse
