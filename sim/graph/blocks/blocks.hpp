// The blocks of which a pass is made, one file each. A block is a function of the pass's frame (the
// model's layer, the layout, the shape) and of the node that it continues; it returns the node that
// holds its output in the form of the residual stream: all tokens on every tensor rank, or each its
// shard.
#pragma once

#include "graph/pass_frame.hpp"

namespace rehearse {

// Begin and end of a stage: of the whole model, or towards the stage beside it.
int embedding_block(PassFrame& frame);
int receive_block(PassFrame& frame);
// What stands before the layers of a prediction: it goes on from what the model's last layer gave.
int prediction_block(PassFrame& frame);
void head_block(PassFrame& frame, int hidden);
void send_block(PassFrame& frame, int hidden);

// A layer's blocks continue each other; where the model has them parallel, both work on the same
// input, and what they give is summed once.
int attention_block(PassFrame& frame, int hidden);
// Without the sum over the tensor ranks.
int attention_part(PassFrame& frame, int normed);
// Of the layer's kind: dense, experts, both beside each other, or none.
int feed_forward_block(PassFrame& frame, int hidden);
int dense_part(PassFrame& frame, int normed);
int expert_block(PassFrame& frame, int hidden);
int parallel_block(PassFrame& frame, int hidden);
// Norms of the layer beyond one for each block, half of them behind each.
int further_norms(PassFrame& frame, int hidden, bool of_attention);

}  // namespace rehearse
