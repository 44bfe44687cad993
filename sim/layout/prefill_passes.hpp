// Which requests share a prefill pass.
#pragma once

#include <string>
#include <vector>

#include "layout/layout.hpp"

namespace rehearse {

// Prompt tokens of a pass where the plan does not write batch.micro_batches: whole requests as long
// as they stay within it, and a longer request is a pass of its own. What engines take by default:
// vLLM's API server on GPUs of 70 GiB and more (max_num_batched_tokens, engine/arg_utils.py) and
// TensorRT-LLM (max_num_tokens, BuildConfig).
constexpr int kPrefillPassTokens = 8192;

// Sets batch.micro_batches where the plan leaves it open (batch.default_passes), for its layout and
// its prompts. Elsewhere, nothing changes.
void choose_prefill_passes(Plan& plan);

// The requests of every prefill pass of the replica that serves the requests `own`, numbered within
// the replica; batch.micro_batches of them, the last ones empty where it has fewer (run only for
// those with whom it shares experts: program/program_builder.cpp). `prompts` are
// prompt_lengths(plan).
//   written, or all prompts are equal: as even as possible, the first passes take the remainder
//   otherwise: in their order, as many as stay within kPrefillPassTokens (padded: as computed)
std::vector<Share> prefill_passes(const Plan& plan, const std::vector<int>& prompts, Share own);

// The same by default, of requests that are served together: by replica of those that share them
// as evenly as possible, as many passes on each. `prompts`: at least one.
std::vector<std::vector<Share>> default_prefill_passes(const std::vector<int>& prompts,
                                                       int replicas);

// "22 micro-batches", "38 micro-batches of at most 8,192 tokens (default)".
std::string prefill_text(const Batch& batch);

}  // namespace rehearse
