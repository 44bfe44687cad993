#include "graph/pass_frame.hpp"

#include "model/weights.hpp"

namespace rehearse {
PassFrame::PassFrame(const Model& model, const Layout& layout, const PassShape& shape)
    : model_(model),
      layout_(layout),
      shape_(shape),
      tensor_(layout.tensor),
      sharded_(layout.sequence_parallel && layout.tensor > 1),
      tokens_(shape.tokens()),
      local_tokens_(sharded_ ? tokens_ / tensor_ : tokens_),
      row_bytes_(model.hidden * bytes_per_element(model.activation_dtype)),
      stream_bytes_(row_bytes_ * model.residual_streams),
      layer_(kNoLayer) {}

void PassFrame::leave_layers() { layer_ = kNoLayer; }

int PassFrame::add(const char* name, const Operator& op, std::initializer_list<int> inputs,
                   const RoutedAmounts& routed) {
  return graph_.add({name, layer_, op, routed}, inputs);
}

int PassFrame::communicate(const Collective& collective, int input, const char* purpose,
                           const RoutedAmounts& routed) {
  const Axis axis = collective.axis;
  const int ranks = axis == Axis::kExpert ? expert_group_size(layout_) : tensor_;
  if (ranks == 1) return input;
  const std::string name = *purpose != 0
                               ? std::string(purpose)
                               : std::string(to_text(axis)) + " " + to_text(collective.op);
  return graph_.add({name, layer_, collective, routed}, {input});
}

int PassFrame::receive_activations(int from_stage) {
  const Message message{Message::Kind::kReceive, from_stage, Bytes{local_tokens_ * stream_bytes_}};
  return graph_.add({"receive activations", layer_, message}, {});
}

void PassFrame::send_activations(int to_stage, int hidden) {
  const Message message{Message::Kind::kSend, to_stage, Bytes{local_tokens_ * stream_bytes_}};
  graph_.add({"send activations", layer_, message}, {hidden, residual_});
}

int PassFrame::reduce(int partial) {
  const double bytes = tokens_ * row_bytes_;
  return communicate(sharded_ ? over_tensor(CollectiveOp::kReduceScatter, bytes, bytes / tensor_)
                              : over_tensor(CollectiveOp::kAllReduce, bytes, 0),
                     partial);
}

int PassFrame::gather(int shard) {
  if (!sharded_) return shard;
  return communicate(
      over_tensor(CollectiveOp::kAllGather, local_tokens_ * row_bytes_, tokens_ * row_bytes_),
      shard);
}

int PassFrame::block_norm(int hidden) {
  return add("norm", norm(model_, local_tokens_), {hidden, residual_});
}

Collective over_tensor(CollectiveOp op, double bytes, double result) {
  return {op, Axis::kTensor, Bytes{bytes}, Bytes{result}};
}

}  // namespace rehearse
