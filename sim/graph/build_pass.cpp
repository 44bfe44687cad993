// Model x Layout x PassShape -> WorkloadGraph: what one rank of a pipeline stage executes for one
// micro-batch.
//
// Tensor parallelism follows Shoeybi et al. 2019 (Megatron-LM): QKV and FFN-up split by columns,
// output projection and FFN-down by rows, one all-reduce after each; with sequence parallelism
// (Korthikanti et al. 2022) the all-reduce becomes a reduce-scatter after and an all-gather before,
// and norms, routing and dispatch work on 1/tensor of the tokens. Experts follow Megatron's
// all-to-all dispatcher: one copy of a token per chosen expert goes to the expert's rank.
#include "base/error.hpp"
#include "graph/workload_graph.hpp"

namespace rehearse {
namespace {

class PassBuilder {
 public:
  PassBuilder(const Model& model, const Layout& layout, const PassShape& shape)
      : model_(model),
        layout_(layout),
        shape_(shape),
        tensor_(layout.tensor),
        sharded_(layout.sequence_parallel && layout.tensor > 1),
        tokens_(shape.tokens()),
        local_tokens_(sharded_ ? tokens_ / tensor_ : tokens_) {}

  WorkloadGraph build() {
    int hidden = enter_stage();
    residual_ = hidden;
    for (layer_ = shape_.layers.first; layer_ < shape_.layers.first + shape_.layers.count;
         ++layer_) {
      hidden = attention_block(hidden);
      hidden = model_.is_moe_layer(layer_) ? expert_block(hidden) : dense_block(hidden);
    }
    layer_ = -1;
    leave_stage(hidden);
    return std::move(graph_);
  }

 private:
  int add(const std::string& name, Operator op, const std::vector<int>& inputs,
          const RoutedAmounts& routed = {}) {
    return graph_.add({name, layer_, op, routed}, inputs);
  }

  // A collective over a group of one is no collective.
  int communicate(const Collective& collective, int input, const char* purpose = "",
                  const RoutedAmounts& routed = {}) {
    const Axis axis = collective.axis;
    const int ranks = axis == Axis::kExpert ? expert_group_size(layout_) : tensor_;
    if (ranks == 1) return input;
    const std::string name = *purpose != 0
                                 ? std::string(purpose)
                                 : std::string(to_text(axis)) + " " + to_text(collective.op);
    return graph_.add({name, layer_, collective, routed}, {input});
  }
  static Collective over_tensor(CollectiveOp op, double bytes, double result) {
    return {op, Axis::kTensor, Bytes{bytes}, Bytes{result}};
  }
  // There or back.
  Collective over_experts(double bytes, double result, bool back) const {
    const FanOut fan_out = {model_.moe->top_k, model_.moe->experts, back};
    return {CollectiveOp::kAllToAll, Axis::kExpert, Bytes{bytes}, Bytes{result}, fan_out};
  }

  double row_bytes() const { return model_.hidden * bytes_per_element(model_.activation_dtype); }

  // Sum of the tensor ranks' partial results: all of it on each, or each its shard.
  int reduce(int partial) {
    const double bytes = tokens_ * row_bytes();
    return communicate(sharded_ ? over_tensor(CollectiveOp::kReduceScatter, bytes, bytes / tensor_)
                                : over_tensor(CollectiveOp::kAllReduce, bytes, 0),
                       partial);
  }

  // All tokens on each tensor rank.
  int gather(int shard) {
    if (!sharded_) return shard;
    return communicate(
        over_tensor(CollectiveOp::kAllGather, local_tokens_ * row_bytes(), tokens_ * row_bytes()),
        shard);
  }

  int enter_stage() {
    if (shape_.stage == 0) {
      return reduce(add("embedding", embedding(model_, tokens_, tensor_), {}));
    }
    return graph_.add(
        {"receive activations", -1,
         Message{Message::Kind::kReceive, shape_.stage - 1, Bytes{local_tokens_ * row_bytes()}}},
        {});
  }

  void leave_stage(int hidden) {
    if (shape_.stage + 1 < layout_.pipeline) {
      graph_.add(
          {"send activations", -1,
           Message{Message::Kind::kSend, shape_.stage + 1, Bytes{local_tokens_ * row_bytes()}}},
          {hidden, residual_});
      return;
    }
    // Only the last token of each sequence is scored.
    const double scored = shape_.sequences;
    const int all = gather(hidden);
    const int normed = add("final norm", norm(model_, scored), {all, residual_});
    const int logits = add("lm_head", lm_head(model_, scored, tensor_), {normed});
    const double vocab_bytes = scored * model_.vocab * bytes_per_element(model_.activation_dtype);
    const int gathered =
        communicate(over_tensor(CollectiveOp::kAllGather, vocab_bytes / tensor_, vocab_bytes),
                    logits, "gather logits");
    add("sampling", sampling(model_, scored), {gathered});
  }

  int block_norm(int hidden) {
    return add("norm", norm(model_, local_tokens_), {hidden, residual_});
  }

  Operator attention_scores() const {
    const bool prefill = shape_.phase == Phase::kPrefill;
    const double sequences = shape_.sequences;
    if (shape_.prompts.empty()) {
      return prefill ? prefill_attention(model_, sequences, shape_.prompt_tokens, tensor_)
                     : decode_attention(model_, sequences, shape_.prompt_tokens + 1, tensor_);
    }
    double tokens = 0;
    double pairs = 0;
    for (const double prompt : shape_.prompts) {
      tokens += prompt;
      pairs += prompt * (prompt + 1) / 2;
    }
    // Decoding is linear in the context: the mean stands for all.
    return prefill ? prefill_attention_of(model_, tokens, pairs, tensor_)
                   : decode_attention(model_, sequences, tokens / sequences + 1, tensor_);
  }

  int attention_block(int hidden) {
    const int normed = gather(block_norm(hidden));
    Operator projection = qkv_projection(model_, layer_, tokens_, tensor_);
    const Attention& attention = model_.attention;
    if (attention.kv_heads < tensor_) {  // KV heads are copied: their columns repeat
      projection.useful_flops_share =
          static_cast<double>(attention.heads + 2 * attention.kv_heads) /
          (attention.heads + 2 * tensor_);
    }
    const int qkv = add("qkv", projection, {normed});
    const int scores = add("attention", attention_scores(), {qkv});
    return reduce(add("out_proj", output_projection(model_, layer_, tokens_, tensor_), {scores}));
  }

  int dense_block(int hidden) {
    const int normed = gather(block_norm(hidden));
    const int up = add("ffn up", dense_up(model_, layer_, tokens_, tensor_), {normed});
    return reduce(add("ffn down", dense_down(model_, layer_, tokens_, tensor_), {up}));
  }

  int expert_block(int hidden) {
    const bool split_experts = expert_tensor_degree(layout_) > 1;
    // Tokens this rank dispatches: its sequence shard, or its slice of the replicated tokens when
    // experts are not split.
    const double dispatched = split_experts ? local_tokens_ : tokens_ / tensor_;
    const int normed = block_norm(hidden);

    Operator gate = router(model_, layer_, local_tokens_);
    if (!sharded_) gate.useful_flops_share = 1.0 / tensor_;
    const int routed = add("router", gate, {normed});
    const int permuted =
        add("permute", permute(model_, dispatched), {normed, routed},
            with_result(moving(Copies::kSent, sent_row(), dispatched), Copies::kSent, sent_row()));
    const int arrived = dispatch(permuted, dispatched);
    const int shared =
        shared_experts(normed);  // here, so that it runs while the dispatch is in flight
    const int back = routed_experts(arrived, dispatched);
    const int combined = add("combine", combine(model_, dispatched), {back, routed},
                             moving(Copies::kSent, sent_row(), dispatched));
    return merge(combined, shared, split_experts);
  }

  // (token, expert) copies that reach this rank's experts, and the share of them that the dispatch
  // itself brings: with sequence parallelism each tensor rank receives 1/tensor of them and they
  // are gathered.
  double arriving_copies() const {
    return shape_.group_tokens * model_.moe->top_k / expert_group_size(layout_);
  }
  bool gathers_copies() const { return sharded_ && expert_tensor_degree(layout_) > 1; }
  double received_bytes() const {
    return arriving_copies() * row_bytes() / (gathers_copies() ? tensor_ : 1);
  }

  // Bytes of a copy on the way: with sequence parallelism the tensor ranks that share an expert
  // each send their part of the tokens.
  Bytes sent_row() const { return Bytes{row_bytes() / (gathers_copies() ? tensor_ : 1)}; }

  // Moves a row for each copy and one for each of `tokens`.
  RoutedAmounts moving(Copies copies, Bytes row, double tokens = 0) const {
    RoutedAmounts amounts;
    amounts.of = copies;
    amounts.bytes_per_copy = row;
    amounts.fixed_bytes = Bytes{tokens * row_bytes()};
    return amounts;
  }

  static RoutedAmounts with_result(RoutedAmounts amounts, Copies copies, Bytes row) {
    amounts.result_of = copies;
    amounts.result_per_copy = row;
    return amounts;
  }

  // An expert's operator, given what it is for one copy and one expert.
  static RoutedAmounts per_copy(const Operator& one) {
    RoutedAmounts amounts;
    amounts.of = Copies::kComputed;
    amounts.flops_per_copy = Flops{one.flops.base};
    amounts.bytes_per_copy = Bytes{one.inputs.base} + one.outputs;
    amounts.bytes_per_expert = one.weights;
    return with_result(amounts, Copies::kComputed, one.result);
  }

  int dispatch(int permuted, double dispatched) {
    const double sent = dispatched * model_.moe->top_k * row_bytes();
    const int arrived =
        communicate(over_experts(sent, received_bytes(), false), permuted, "dispatch",
                    with_result(moving(Copies::kSent, sent_row()), Copies::kComputed, sent_row()));
    if (!gathers_copies()) return arrived;
    return communicate(
        over_tensor(CollectiveOp::kAllGather, received_bytes(), arriving_copies() * row_bytes()),
        arrived, "",
        with_result(moving(Copies::kComputed, sent_row()), Copies::kComputed, Bytes{row_bytes()}));
  }

  int shared_experts(int normed) {
    const MixtureOfExperts& moe = *model_.moe;
    if (moe.shared_experts == 0) return -1;
    const int all = gather(normed);
    const int up = add("shared expert up", shared_up(model_, layer_, tokens_, tensor_), {all});
    return add("shared expert down", shared_down(model_, layer_, tokens_, tensor_), {up});
  }

  // The experts of this rank and the way back: the node that holds the results for this rank's own
  // tokens.
  int routed_experts(int arrived, double dispatched) {
    const MixtureOfExperts& moe = *model_.moe;
    const int degree = expert_tensor_degree(layout_);
    const double local = static_cast<double>(moe.experts) / expert_group_size(layout_);
    const double touched = touched_experts(moe, local, shape_.group_tokens);
    const double copies = arriving_copies();
    const int up = add("expert up", expert_up(model_, layer_, copies, touched, degree), {arrived},
                       per_copy(expert_up(model_, layer_, 1, 1, degree)));
    int done = add("expert down", expert_down(model_, layer_, copies, touched, degree), {up},
                   per_copy(expert_down(model_, layer_, 1, 1, degree)));
    if (gathers_copies()) {
      done = communicate(
          over_tensor(CollectiveOp::kReduceScatter, copies * row_bytes(), received_bytes()), done,
          "",
          with_result(moving(Copies::kComputed, Bytes{row_bytes()}), Copies::kComputed,
                      sent_row()));
    }
    return communicate(
        over_experts(received_bytes(), dispatched * moe.top_k * row_bytes(), true), done, "return",
        with_result(moving(Copies::kComputed, sent_row()), Copies::kSent, sent_row()));
  }

  // Adds the shared expert and brings the layer's output to the form of the residual stream.
  int merge(int combined, int shared, bool split_experts) {
    if (split_experts && !sharded_) {  // both are partial sums of all tokens: one all-reduce
      return reduce(shared < 0 ? combined : add_outputs(combined, shared, tokens_));
    }
    int routed = combined;
    if (!sharded_) {  // whole results for 1/tensor of the tokens
      const double bytes = tokens_ * row_bytes();
      routed = communicate(over_tensor(CollectiveOp::kAllGather, bytes / tensor_, bytes), routed);
    }
    return shared < 0 ? routed : add_outputs(routed, reduce(shared), local_tokens_);
  }

  int add_outputs(int a, int b, double tokens) {
    Operator sum;
    sum.inputs.base = 2 * tokens * row_bytes();
    sum.outputs = sum.result = Bytes{tokens * row_bytes()};
    return add("add shared", sum, {a, b});
  }

  const Model& model_;
  const Layout& layout_;
  const PassShape& shape_;
  const int tensor_;
  const bool
      sharded_;  // sequence parallel: outside attention and FFN a rank holds 1/tensor of the tokens
  const double tokens_;
  const double local_tokens_;
  int layer_ = -1;
  int residual_ = -1;
  WorkloadGraph graph_;
};

}  // namespace

WorkloadGraph build_pass(const Model& model, const Layout& layout, const PassShape& shape) {
  return PassBuilder(model, layout, shape).build();
}

}  // namespace rehearse
