// Attention: QKV by columns, output projection by rows, one sum over the tensor ranks (Shoeybi et
// al. 2019, Megatron-LM).
#include "graph/blocks/blocks.hpp"

namespace rehearse {
namespace {

Operator scores(const PassFrame& frame) {
  const Model& model = frame.model();
  const PassShape& shape = frame.shape();
  const int tensor = frame.tensor();
  const bool prefill = shape.phase == Phase::kPrefill;
  const double sequences = shape.sequences;
  if (shape.prompts.empty()) {
    return prefill ? prefill_attention(model, sequences, shape.prompt_tokens, tensor)
                   : decode_attention(model, sequences, shape.prompt_tokens + 1, tensor);
  }
  double tokens = 0;
  double pairs = 0;
  for (const double prompt : shape.prompts) {
    tokens += prompt;
    pairs += prompt * (prompt + 1) / 2;
  }
  // Decoding is linear in the context: the mean stands for all.
  return prefill ? prefill_attention_of(model, tokens, pairs, tensor)
                 : decode_attention(model, sequences, tokens / sequences + 1, tensor);
}

}  // namespace

int attention_block(PassFrame& frame, int hidden) {
  const Model& model = frame.model();
  const int tensor = frame.tensor();
  const int normed = frame.gather(frame.block_norm(hidden));
  Operator projection = qkv_projection(model, frame.layer(), frame.tokens(), tensor);
  const Attention& attention = model.attention;
  if (attention.kv_heads < tensor) {  // KV heads are copied: their columns repeat
    projection.useful_flops_share = static_cast<double>(attention.heads + 2 * attention.kv_heads) /
                                    (attention.heads + 2 * tensor);
  }
  const int qkv = frame.add("qkv", projection, {normed});
  const int scored = frame.add("attention", scores(frame), {qkv});
  return frame.reduce(frame.add(
      "out_proj", output_projection(model, frame.layer(), frame.tokens(), tensor), {scored}));
}

}  // namespace rehearse
