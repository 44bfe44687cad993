// What the blocks of a pass share: the graph that they write, how tensor ranks hold the tokens
// between them, and the stream of residuals that runs through them.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "graph/workload_graph.hpp"
#include "model/attention_kind.hpp"

namespace rehearse {

class PassFrame {
 public:
  PassFrame(const Model& model, const Layout& layout, const PassShape& shape);

  const Model& model() const { return model_; }
  const Layout& layout() const { return layout_; }
  const PassShape& shape() const { return shape_; }
  int layer() const { return layer_; }  // kNoLayer outside layers
  int tensor() const { return tensor_; }
  // Sequence parallel: outside attention and FFN a rank holds 1/tensor of the tokens.
  bool sharded() const { return sharded_; }
  double tokens() const { return tokens_; }
  double local_tokens() const { return local_tokens_; }  // between blocks
  double row_bytes() const { return row_bytes_; }        // activations of a token
  AttentionShape attention_shape() const { return {shape_.slices, shape_.grows, shape_.steps}; }

  void enter_layer(int layer) { layer_ = layer; }
  void leave_layers();
  // The node that holds the residual from here on: it is updated in place, and every norm and the
  // end of the stage read it.
  void set_residual(int node) { residual_ = node; }
  int residual() const { return residual_; }

  int add(const char* name, const Operator& op, std::initializer_list<int> inputs,
          const RoutedAmounts& routed = {});
  // The node with what the collective leaves; one over a group of one is none. Without a purpose
  // its name is what it is.
  int communicate(const Collective& collective, int input, const char* purpose = "",
                  const RoutedAmounts& routed = {});
  // Activations of the tokens from or to the stage beside this one.
  int receive_activations(int from_stage);
  void send_activations(int to_stage, int hidden);

  // Sum of the tensor ranks' partial results: all of it on each, or each its shard.
  int reduce(int partial);
  int gather(int shard);  // all tokens on each tensor rank
  int block_norm(int hidden);

  WorkloadGraph take() { return std::move(graph_); }

 private:
  const Model& model_;
  const Layout& layout_;
  const PassShape& shape_;
  const int tensor_;
  const bool sharded_;
  const double tokens_;
  const double local_tokens_;
  const double row_bytes_;
  const double stream_bytes_;  // of a token between stages
  int layer_;
  int residual_ = -1;
  WorkloadGraph graph_;
};

Collective over_tensor(CollectiveOp op, double bytes, double result);

}  // namespace rehearse
