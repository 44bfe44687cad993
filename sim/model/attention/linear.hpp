// What linear attention and state-space layers share: a state of each sequence, however long, that
// every token changes, behind a short convolution.
#pragma once

#include <string>
#include <vector>

#include "model/attention_kind.hpp"

namespace rehearse {

// On one rank.
struct LinearLayer {
  double recurrent = 0;     // elements of a sequence's state
  double channels = 0;      // of the convolution
  double taps = 1;          // of the convolution
  double decode_flops = 0;  // of a token by itself
  double chunk_flops = 0;   // of a token in a chunk of them, in prefill
  double read = 0;          // elements of a token that enter the scan
  double written = 0;       // and leave it
  Dtype state_dtype = Dtype::kFp32;
};

SequenceCache state_cache(const Model& model, const LinearLayer& layer);
// Convolution (where there is one) and scan of the state.
void add_scan(const Model& model, const AttentionShape& shape, const LinearLayer& layer,
              std::vector<NamedOperator>& chain);
// The norm of the scan's output and the gate that it is multiplied with.
void add_gated_norm(const Model& model, double tokens, double written,
                    std::vector<NamedOperator>& chain);

}  // namespace rehearse
