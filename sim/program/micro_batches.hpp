// Which tokens enter which pass on which replica.
#pragma once

#include <map>
#include <vector>

#include "layout/layout.hpp"
#include "program/program.hpp"

namespace rehearse {

class MicroBatches {
 public:
  explicit MicroBatches(const Plan& plan);

  int parts(Phase phase) const {
    return phase == Phase::kPrefill ? plan_.batch.micro_batches : decode_parts_;
  }
  bool equal_prompts() const { return computed_.empty(); }

  // Of the replica that serves the requests `own`: those of its micro-batch `part` of a phase,
  // numbered within the replica.
  Share requests(Phase phase, Share own, int part) const;
  // What they bring: their prompts as computed, or a token behind these. Without requests, one
  // slice of none.
  std::vector<Slice> slices(Phase phase, Share own, int part) const;

  // Of `replicas` that share experts, `larger` of which have a request more than the least: the
  // tokens that they bring together. REQUIRES: equal_prompts().
  double group_tokens(Phase phase, int part, int larger, int replicas) const;

  // Over all replicas: Action::about.
  int pass_number(Phase phase, int part) const {
    return phase == Phase::kPrefill ? part : plan_.batch.micro_batches + part;
  }

  // By rank: the requests of its replica.
  std::vector<Share> shares(const ProcessGroups& groups) const;

  // Tokens of each member of each expert group in every pass. Where experts are spread over the
  // tensor ranks too, these share the tokens of their replica. Throws InputError for a pass of more
  // (token, expert) copies than can be counted, when each token has `top_k`.
  RoutedTokens routed_tokens(const ProcessGroups& groups, int top_k) const;

 private:
  const Plan& plan_;
  const int decode_parts_;
  std::vector<int> computed_;  // lengths of prompts, where they differ
  std::map<int, std::vector<Share>>
      passes_;  // where prompts differ: by the replica's first request
};

}  // namespace rehearse
