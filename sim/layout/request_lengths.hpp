// Prompts of different lengths, and which data-parallel replica serves which of them.
#pragma once

#include <vector>

#include "plan/plan.hpp"

namespace rehearse {

// Tokens of each request's prompt, in the order in which replicas take requests: the first of them
// (share_of) are replica 0's and so on, and a replica's micro-batches are consecutive. Empty: all
// are batch.prompt_tokens.
//   first_come  as they were drawn, or as they stand in the file
//   bucketed    longest first to the replica with the fewest tokens that has room for one more
//               request; within a replica by length, so that a micro-batch holds similar ones
std::vector<int> prompt_lengths(const Plan& plan);

// The same with what is computed for them: with `padded`, every prompt of a prefill micro-batch is
// as long as its longest, in the KV cache as well.
std::vector<int> computed_lengths(const Plan& plan);

// Of all requests.
double prompt_tokens(const Plan& plan);
double output_tokens(const Plan& plan);

// Computed prompt tokens of each data-parallel replica.
std::vector<double> replica_tokens(const Plan& plan);

}  // namespace rehearse
