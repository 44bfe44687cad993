// A prediction of further tokens begins with the embedding of the next token beside what the model
// made of the one before, each normed, and projects both to the width of one (DeepSeek-V3 technical
// report, section 2.2). Engines keep the projection whole on every tensor rank (vLLM
// deepseek_mtp.py and SGLang deepseek_nextn.py: eh_proj is an nn.Linear).
#include "graph/blocks/blocks.hpp"

namespace rehearse {

int prediction_block(PassFrame& frame) {
  const Model& model = frame.model();
  const double tokens = frame.local_tokens();
  const int embedded = embedding_block(frame);
  const int next = frame.add("embedding norm", norm(model, tokens), {embedded});
  const int before = frame.add("hidden norm", norm(model, tokens), {});
  Operator projection = matrix_product(model, OperatorClass::kGemm, WeightPart::kPrediction,
                                       frame.shape().layers.first, tokens, 1);
  if (!frame.sharded()) projection.useful_flops_share = 1.0 / frame.tensor();
  return frame.add("prediction", projection, {next, before});
}

}  // namespace rehearse
