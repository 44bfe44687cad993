#include "model/attention/linear.hpp"

namespace rehearse {

SequenceCache state_cache(const Model& model, const LinearLayer& layer) {
  SequenceCache cache;
  cache.state =
      Bytes{layer.recurrent * bytes_per_element(layer.state_dtype) +
            layer.channels * (layer.taps - 1) * bytes_per_element(model.activation_dtype)};
  return cache;
}

void add_scan(const Model& model, const AttentionShape& shape, const LinearLayer& layer,
              std::vector<NamedOperator>& chain) {
  const double tokens = tokens_of(shape.slices);
  if (layer.taps > 1) {
    const double moved = tokens * layer.channels;
    chain.push_back({"convolution", elementwise(model, moved, moved)});
  }
  StateScan scan;
  double states_read = 0;
  for (const Slice& slice : shape.slices) {
    const bool alone = slice.query == 1 && slice.context > 0;
    scan.sequences += slice.sequences;
    scan.tokens += slice.tokens();
    scan.flops += slice.tokens() * (alone ? layer.decode_flops : layer.chunk_flops);
    if (slice.context > 0) states_read += slice.sequences;
  }
  const double state = state_cache(model, layer).state.value;
  const double element = bytes_per_element(model.activation_dtype);
  Operator op;
  op.op_class = OperatorClass::kStateScan;
  op.work = {scan, layer.state_dtype, model.activation_dtype};
  op.inputs.base = states_read * state + tokens * layer.read * element;
  op.result = Bytes{tokens * layer.written * element};
  op.outputs = op.result + Bytes{tokens > 0 ? scan.sequences * state : 0};
  chain.push_back({"state scan", op});
}

void add_gated_norm(const Model& model, double tokens, double written,
                    std::vector<NamedOperator>& chain) {
  chain.push_back({"gated norm", elementwise(model, 2 * tokens * written, tokens * written)});
}

}  // namespace rehearse
