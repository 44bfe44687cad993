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
void head_block(PassFrame& frame, int hidden);
void send_block(PassFrame& frame, int hidden);

int attention_block(PassFrame& frame, int hidden);

int dense_block(PassFrame& frame, int hidden);
int expert_block(PassFrame& frame, int hidden);

// The block behind the attention of a layer.
struct FeedForwardBlock {
  FeedForwardKind kind;
  int (*build)(PassFrame& frame, int hidden);
};
inline constexpr FeedForwardBlock kFeedForwardBlocks[] = {
    {FeedForwardKind::kDense, dense_block},
    {FeedForwardKind::kExperts, expert_block},
};

}  // namespace rehearse
