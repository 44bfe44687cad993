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

  bool equal_prompts() const { return computed_.empty(); }

  // Of the replica that serves the requests `own`: those of its micro-batch `part` of a phase,
  // numbered within the replica.
  Share requests(Phase phase, Share own, int part) const;
  // Computed lengths of their prompts; empty when all are equal.
  std::vector<int> prompts(Phase phase, Share own, int part) const;
  double tokens(Phase phase, Share own, int part) const;

  // By rank: the requests of its replica.
  std::vector<Share> shares(const ProcessGroups& groups) const;

  // Tokens of each member of each expert group in every pass. Where experts are spread over the
  // tensor ranks too, these share the tokens of their replica. Throws InputError for a pass of more
  // (token, expert) copies than can be counted, when each token has `top_k`.
  RoutedTokens routed_tokens(const ProcessGroups& groups, int top_k) const;

 private:
  const Plan& plan_;
  const int decode_parts_;
  std::vector<int> computed_;
  std::map<int, std::vector<Share>>
      passes_;  // where prompts differ: by the replica's first request
};

}  // namespace rehearse
