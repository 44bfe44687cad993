// What an engine computes in a step: for each request in it, how many new tokens after how many
// that are there already.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rehearse::serving {

struct Slice {
  int request = 0;
  int tokens = 0;        // new ones, drafts with them
  int context = 0;       // tokens before them
  int drafts = 0;        // of them, proposed and not yet accepted
  bool prompt = false;   // they are of a prompt, or of a request that comes back
  bool samples = false;  // the request gets a token when the step ends
  int life = 0;          // how often it had been preempted
};

using Batch = std::vector<Slice>;

// What a step costs depends on.
struct StepShape {
  std::span<const Slice> slices;
  int grown = 0;  // each slice's context has grown by so much since it was written
  std::int64_t tokens = 0;
  std::int64_t executed = 0;  // tokens with the padding of graphs
  std::int64_t context = 0;   // sum over the slices, `grown` included
  bool graph = false;         // a captured graph is launched
  bool decodes = false;       // every slice is one token behind others
};

StepShape shape_of(const Batch& batch);

// Tokens that CUDA graphs are captured for, rising; a batch is padded up to the next of them, and
// runs without a graph, unpadded, above the last.
using GraphSizes = std::vector<int>;

// 0: above the last.
int padded(const GraphSizes& sizes, std::int64_t tokens);

// The largest size up to which vLLM captures graphs and its sizes: 1, 2, 4, steps of 8 below 256,
// of 16 above, at most min(2 x sequences x (1 + drafts), 512, tokens per step); with drafts rounded
// up to multiples of 1 + drafts (vllm/config/vllm.py and compilation.py, mid-2026).
GraphSizes vllm_graph_sizes(int max_sequences, int max_tokens, int drafts);

// Pads all ranks that step together: one without a graph leaves all without; with graphs all are
// padded to the largest (vllm/v1/worker/dp_utils.py).
void pad(std::span<StepShape> ranks, const GraphSizes& sizes);

}  // namespace rehearse::serving
