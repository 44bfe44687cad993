// When each request got its first and its last token: told from the sampling operators; of a
// service, from its programs.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "program/program.hpp"
#include "program/rank_copies.hpp"

namespace rehearse {

struct RequestLifetime {
  int request = 0;  // numbered over the whole batch, or of the trace
  int replica = 0;
  std::int64_t arrival = 0;      // ns
  std::int64_t first_token = 0;  // ns
  std::int64_t last_token = 0;   // ns
  int tokens = 0;
};

// A request's first token comes from the sampling at the end of its prefill, each further one from
// that of a decode step. Every tensor and context rank of the last stage samples the same tokens;
// only those with coordinate 0 are asked.
class RequestLifetimes {
 public:
  // REQUIRES: both outlive this.
  RequestLifetimes(const Programs& programs, const RankCopies& copies);

  // A sampling operator of the action ended on `rank`, and on its copies.
  void sampled(Rank rank, int action, std::int64_t end);

  // Of every request that got a token, in the order of their numbers.
  std::vector<RequestLifetime> lifetimes() const;

 private:
  struct Samples {
    std::int64_t last = -1;
    int count = 0;
  };

  std::vector<RequestLifetime> of_service() const;
  void add(Rank copy, std::map<int, RequestLifetime>& by_request) const;

  const Programs& programs_;
  const RankCopies& copies_;
  std::vector<std::vector<Samples>> samples_;  // by rank and action; empty for a rank not asked
};

}  // namespace rehearse
