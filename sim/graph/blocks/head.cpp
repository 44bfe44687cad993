// The last stage ends with the LM head over the tokens that are scored, of most sequences the last;
// its columns are split, so that the logits are gathered before one is sampled.
#include "graph/blocks/blocks.hpp"

namespace rehearse {

void head_block(PassFrame& frame, int hidden) {
  const Model& model = frame.model();
  const double scored = frame.shape().scored();
  const int all = frame.gather(hidden);
  const int normed = frame.add("final norm", norm(model, scored), {all, frame.residual()});
  const int logits = frame.add("lm_head", lm_head(model, scored, frame.tensor()), {normed});
  const double vocab_bytes = scored * model.vocab * bytes_per_element(model.activation_dtype);
  const int gathered = frame.communicate(
      over_tensor(CollectiveOp::kAllGather, vocab_bytes / frame.tensor(), vocab_bytes), logits,
      "gather logits");
  frame.add("sampling", sampling(model, scored), {gathered});
}

}  // namespace rehearse
