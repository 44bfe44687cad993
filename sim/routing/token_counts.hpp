// How many tokens of each source visit each expert: counts, not token objects.
#pragma once

#include <vector>

#include "base/random_stream.hpp"

namespace rehearse {

// A table of counts, one row for each source (a rank of the expert group whose tokens are routed).
struct TokenCounts {
  int sources = 0;
  int experts = 0;
  std::vector<int> counts;  // [source * experts + expert]

  TokenCounts(int source_count, int expert_count)
      : sources(source_count),
        experts(expert_count),
        counts(static_cast<std::size_t>(source_count) * expert_count) {}
  int* row(int source) { return &counts[static_cast<std::size_t>(source) * experts]; }
  const int* row(int source) const { return &counts[static_cast<std::size_t>(source) * experts]; }
  std::vector<int> of_experts() const;  // sums over the sources
};

// Deals `amount` over bins in proportion to `weights` in whole numbers: each bin's exact part,
// rounded down or up so that the expectation is exact (systematic rounding with one uniform
// number). The weights' sum is not zero unless amount is.
std::vector<int> deal(int amount, const std::vector<double>& weights, double uniform);

// Draws how many of a number of tokens visit each expert, when each visits top_k different experts,
// expert e with probability inclusion[e]. The sum is exactly tokens x top_k and no count exceeds
// `tokens`.
//
// Systematic sampling (Madow 1949): the experts stand in a random order on a line, each as long as
// its probability, top_k in all; a token that starts at a uniform place in [0, 1) visits those who
// hold it and its repetitions every 1. So inclusion is exact, each count is binomial, and many
// tokens cost as much as one: only how many start below each mark is drawn. The order is one for
// all draws of an object.
class CountDraw {
 public:
  CountDraw(int top_k, const std::vector<double>& inclusion, RandomStream& random);
  void draw(int tokens, RandomStream& random, int* counts) const;

 private:
  void draw_each(int tokens, RandomStream& random, int* counts) const;
  void draw_together(int tokens, RandomStream& random, int* counts) const;

  struct Mark {
    double share = 0;     // of the starts left by the mark before that lie below this one
    double log_rest = 0;  // log(1 - share)
    int place = 0;
  };
  const int top_k_;
  std::vector<int> order_;    // expert by place
  std::vector<double> sums_;  // of the probabilities, by place
  std::vector<Mark> marks_;   // fractional parts of the sums, ascending
};

}  // namespace rehearse
