// A mixture of experts: router, dispatch, experts, return, weighted sum; shared experts beside
// them, while the dispatch is in flight. Megatron's all-to-all dispatcher: one copy of a token per
// chosen expert goes to the expert's rank.
//
// Every node says how its amounts follow the copies of tokens, so that uneven routing can put its
// own in their place.
#include <cmath>

#include "graph/blocks/blocks.hpp"
#include "model/weights.hpp"

namespace rehearse {
namespace {

RoutedAmounts with_result(RoutedAmounts amounts, Copies copies, Bytes row) {
  amounts.result_of = copies;
  amounts.result_per_copy = row;
  return amounts;
}

// An expert's operator, given what it is for one copy and one expert.
RoutedAmounts per_copy(const Operator& one) {
  RoutedAmounts amounts;
  amounts.of = Copies::kComputed;
  amounts.flops_per_copy = Flops{one.flops().base};
  amounts.bytes_per_copy = Bytes{one.inputs.base} + one.outputs;
  amounts.bytes_per_expert = one.weights;
  return with_result(amounts, Copies::kComputed, one.result);
}

class ExpertBlock {
 public:
  explicit ExpertBlock(PassFrame& frame)
      : frame_(frame),
        model_(frame.model()),
        moe_(*frame.model().moe),
        degree_(expert_tensor_degree(frame.layout())),
        group_(expert_group_size(frame.layout())),
        tensor_(frame.tensor()),
        visits_(moe_.visits()),
        row_(copy_width(model_) * bytes_per_element(model_.activation_dtype)),
        dispatched_(degree_ > 1 ? frame.local_tokens() : frame.tokens() / tensor_),
        gathers_copies_(frame.sharded() && degree_ > 1),
        sent_row_{row_ / (gathers_copies_ ? tensor_ : 1)},
        arriving_(frame.shape().group_tokens * visits_ / group_),
        received_(arriving_ * row_ / (gathers_copies_ ? tensor_ : 1)) {}

  int build(int hidden) {
    const int normed = frame_.block_norm(hidden);
    Operator gate = router(model_, frame_.layer(), frame_.local_tokens());
    if (!frame_.sharded()) gate.useful_flops_share = 1.0 / tensor_;
    const int routed = frame_.add("router", gate, {normed});
    const int narrow = to_latent(normed);
    const int permuted = frame_.add(
        "permute", permute(model_, dispatched_), {narrow, routed},
        with_result(moving(Copies::kSent, sent_row_, dispatched_), Copies::kSent, sent_row_));
    const int arrived = dispatch(permuted);
    // Here, so that they run while the dispatch is in flight.
    const int shared = beside_experts(normed);
    const int back = routed_experts(arrived);
    const int combined = frame_.add("combine", combine(model_, dispatched_), {back, routed},
                                    moving(Copies::kSent, sent_row_, dispatched_));
    return merge(from_latent(combined), shared);
  }

 private:
  // There or back.
  Collective over_experts(double bytes, double result, bool back) const {
    const FanOut fan_out = {std::max(1, static_cast<int>(std::lround(visits_))), moe_.experts, back,
                            moe_.groups, moe_.top_groups};
    return {CollectiveOp::kAllToAll, Axis::kExpert, Bytes{bytes}, Bytes{result}, fan_out};
  }

  // Moves a row for each copy and one for each of `tokens`.
  RoutedAmounts moving(Copies copies, Bytes row, double tokens = 0) const {
    RoutedAmounts amounts;
    amounts.of = copies;
    amounts.bytes_per_copy = row;
    amounts.fixed_bytes = Bytes{tokens * row_};
    return amounts;
  }

  int dispatch(int permuted) {
    const double sent = dispatched_ * visits_ * row_;
    const int arrived = frame_.communicate(
        over_experts(sent, received_, false), permuted, "dispatch",
        with_result(moving(Copies::kSent, sent_row_), Copies::kComputed, sent_row_));
    if (!gathers_copies_) return arrived;
    return frame_.communicate(
        over_tensor(CollectiveOp::kAllGather, received_, arriving_ * row_), arrived, "",
        with_result(moving(Copies::kComputed, sent_row_), Copies::kComputed, Bytes{row_}));
  }

  // The routed experts' width; what tensor ranks repeat, they repeat here too.
  int to_latent(int normed) {
    if (moe_.latent == 0) return normed;
    Operator down = expert_latent_down(model_, frame_.layer(), dispatched_);
    if (degree_ > 1 && !frame_.sharded()) down.useful_flops_share = 1.0 / tensor_;
    return frame_.add("expert latent down", down, {normed});
  }
  int from_latent(int combined) {
    if (moe_.latent == 0) return combined;
    Operator up = expert_latent_up(model_, frame_.layer(), dispatched_);
    if (degree_ > 1 && !frame_.sharded()) up.useful_flops_share = 1.0 / tensor_;
    return frame_.add("expert latent up", up, {combined});
  }

  // Shared experts and the layer's dense FFN, which every token visits: a part of their sum on each
  // tensor rank. -1: there are none.
  int beside_experts(int normed) {
    const bool dense = model_.kind_of(frame_.layer()).dense != LayerKind::kNone;
    if (moe_.shared_experts == 0 && !dense) return -1;
    const int all = frame_.gather(normed);
    if (moe_.shared_experts == 0) return dense_part(frame_, all);
    const int up = frame_.add("shared expert up",
                              shared_up(model_, frame_.layer(), frame_.tokens(), tensor_), {all});
    const int shared = frame_.add(
        "shared expert down", shared_down(model_, frame_.layer(), frame_.tokens(), tensor_), {up});
    return dense ? add_outputs(shared, dense_part(frame_, all), frame_.tokens()) : shared;
  }

  // The experts of this rank and the way back: the node that holds the results for this rank's own
  // tokens.
  int routed_experts(int arrived) {
    const int layer = frame_.layer();
    const double local = static_cast<double>(moe_.experts) / group_;
    const double touched = touched_experts(moe_, local, frame_.shape().group_tokens);
    const int up = frame_.add("expert up", expert_up(model_, layer, arriving_, touched, degree_),
                              {arrived}, per_copy(expert_up(model_, layer, 1, 1, degree_)));
    int done = frame_.add("expert down", expert_down(model_, layer, arriving_, touched, degree_),
                          {up}, per_copy(expert_down(model_, layer, 1, 1, degree_)));
    if (gathers_copies_) {
      done = frame_.communicate(
          over_tensor(CollectiveOp::kReduceScatter, arriving_ * row_, received_), done, "",
          with_result(moving(Copies::kComputed, Bytes{row_}), Copies::kComputed, sent_row_));
    }
    return frame_.communicate(
        over_experts(received_, dispatched_ * visits_ * row_, true), done, "return",
        with_result(moving(Copies::kComputed, sent_row_), Copies::kSent, sent_row_));
  }

  // Adds the shared experts and brings the layer's output to the form of the residual stream.
  int merge(int combined, int shared) {
    const double tokens = frame_.tokens();
    const double row = frame_.row_bytes();
    if (degree_ > 1 && !frame_.sharded()) {  // both are partial sums of all tokens: one all-reduce
      return frame_.reduce(shared < 0 ? combined : add_outputs(combined, shared, tokens));
    }
    int routed = combined;
    if (!frame_.sharded()) {  // whole results for 1/tensor of the tokens
      const double bytes = tokens * row;
      routed =
          frame_.communicate(over_tensor(CollectiveOp::kAllGather, bytes / tensor_, bytes), routed);
    }
    return shared < 0 ? routed : add_outputs(routed, frame_.reduce(shared), frame_.local_tokens());
  }

  int add_outputs(int a, int b, double tokens) {
    return frame_.add("add shared", sum_of_two(model_, tokens), {a, b});
  }

  PassFrame& frame_;
  const Model& model_;
  const MixtureOfExperts& moe_;
  const int degree_;  // tensor ranks that share an expert
  const int group_;   // ranks that the experts are spread over
  const int tensor_;
  const double visits_;  // copies of a token
  const double row_;     // bytes of a copy
  // Tokens this rank dispatches: its sequence shard, or its slice of the replicated tokens when
  // experts are not split.
  const double dispatched_;
  // With sequence parallelism each of the tensor ranks that share an expert sends its part of the
  // tokens: each receives 1/tensor of the copies, and they are gathered.
  const bool gathers_copies_;
  const Bytes sent_row_;   // bytes of a copy on the way
  const double arriving_;  // (token, expert) copies that reach this rank's experts
  const double received_;  // bytes of them that the dispatch itself brings
};

}  // namespace

int expert_block(PassFrame& frame, int hidden) { return ExpertBlock(frame).build(hidden); }

}  // namespace rehearse
