// Attention of the layer's kind, whose first matrices are split by columns and whose last by rows:
// one sum over the tensor ranks (Shoeybi et al. 2019, Megatron-LM).
#include "graph/blocks/blocks.hpp"
#include "model/attention_kind.hpp"

namespace rehearse {

int attention_part(PassFrame& frame, int normed) {
  const Model& model = frame.model();
  const AttentionKind& kind = kind_of(model.attention_of(frame.layer()));
  int node = normed;
  for (const auto& [name, op, sums] :
       kind.operators(model, frame.layer(), frame.attention_shape(), frame.tensor())) {
    node = frame.add(name, op, {node});
    if (sums.value > 0) {
      node = frame.communicate(over_tensor(CollectiveOp::kAllReduce, sums.value, 0), node,
                               "sums all_reduce");
    }
  }
  return node;
}

int attention_block(PassFrame& frame, int hidden) {
  const int node = frame.reduce(attention_part(frame, frame.gather(frame.block_norm(hidden))));
  return further_norms(frame, node, true);
}

}  // namespace rehearse
