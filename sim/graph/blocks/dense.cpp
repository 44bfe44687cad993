// A dense FFN: up by columns, down by rows, one sum over the tensor ranks (Shoeybi et al. 2019,
// Megatron-LM).
#include "graph/blocks/blocks.hpp"
#include "model/weights.hpp"

namespace rehearse {

int dense_part(PassFrame& frame, int normed) {
  const Model& model = frame.model();
  const bool linear = model.dense[model.kind_of(frame.layer()).dense].linear;
  int node = normed;
  if (!linear) {
    node =
        frame.add("ffn up", dense_up(model, frame.layer(), frame.tokens(), frame.tensor()), {node});
  }
  return frame.add(linear ? "ffn linear" : "ffn down",
                   dense_down(model, frame.layer(), frame.tokens(), frame.tensor()), {node});
}

int feed_forward_block(PassFrame& frame, int hidden) {
  const LayerKind kind = frame.model().kind_of(frame.layer());
  if (!kind.has_feed_forward()) return hidden;
  const int node = kind.experts
                       ? expert_block(frame, hidden)
                       : frame.reduce(dense_part(frame, frame.gather(frame.block_norm(hidden))));
  return further_norms(frame, node, false);
}

int parallel_block(PassFrame& frame, int hidden) {
  const Model& model = frame.model();
  const int normed = frame.gather(frame.block_norm(hidden));
  const int attention = attention_part(frame, normed);
  int of_ffn = normed;
  if (norms_of(model, model.kind_of(frame.layer())) > 1) {
    of_ffn = frame.gather(frame.block_norm(hidden));
  }
  const int ffn = dense_part(frame, of_ffn);
  return frame.reduce(
      frame.add("add parallel", sum_of_two(model, frame.tokens()), {attention, ffn}));
}

int further_norms(PassFrame& frame, int hidden, bool of_attention) {
  const Model& model = frame.model();
  const LayerKind kind = model.kind_of(frame.layer());
  const bool both = kind.attention != LayerKind::kNone && kind.has_feed_forward();
  const int further = static_cast<int>(norms_of(model, kind)) - (both ? 2 : 1);
  const int own = !both ? further : of_attention ? further / 2 : further - further / 2;
  for (int at = 0; at < own; ++at) {
    hidden = frame.add("post norm", norm(model, frame.local_tokens()), {hidden});
  }
  return hidden;
}

}  // namespace rehearse
