// Model x Layout x PassShape -> WorkloadGraph: what one rank of a pipeline stage executes for one
// micro-batch, block by block (blocks/). Which blocks a layer has is its kind's.
//
// Tensor parallelism follows Shoeybi et al. 2019 (Megatron-LM); with sequence parallelism
// (Korthikanti et al. 2022) the all-reduce after a block becomes a reduce-scatter after and an
// all-gather before, and norms, routing and dispatch work on 1/tensor of the tokens.
#include <numeric>
#include <vector>

#include "base/error.hpp"
#include "graph/blocks/blocks.hpp"

namespace rehearse {
namespace {

int layer_blocks(PassFrame& frame, int hidden) {
  const Model& model = frame.model();
  const LayerKind kind = model.kind_of(frame.layer());
  const bool attends = kind.attention != LayerKind::kNone;
  if (model.parallel_blocks && attends && kind.has_feed_forward()) {
    return parallel_block(frame, hidden);
  }
  if (attends) hidden = attention_block(frame, hidden);
  return feed_forward_block(frame, hidden);
}

}  // namespace

WorkloadGraph build_pass(const Model& model, const Layout& layout, const PassShape& shape) {
  std::vector<int> layers(shape.layers.count);
  std::iota(layers.begin(), layers.end(), shape.layers.first);
  return build_pass(model, layout, shape, layers);
}

WorkloadGraph build_pass(const Model& model, const Layout& layout, const PassShape& shape,
                         const std::vector<int>& layers) {
  PassFrame frame(model, layout, shape);
  if (shape.host) frame.add("host", host_step(shape.begin_for_host()), {});
  int hidden = shape.drafts       ? prediction_block(frame)
               : shape.stage == 0 ? embedding_block(frame)
                                  : receive_block(frame);
  frame.set_residual(hidden);
  for (const int layer : layers) {
    frame.enter_layer(layer);
    hidden = layer_blocks(frame, hidden);
  }
  frame.leave_layers();
  const bool last = shape.stage + 1 == layout.stages();
  last ? head_block(frame, hidden) : send_block(frame, hidden);
  return frame.take();
}

}  // namespace rehearse
