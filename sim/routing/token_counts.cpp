#include "routing/token_counts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace rehearse {
namespace {

constexpr int kDrawnOneByOne = 16;  // tokens: fewer searches than marks to sort

}  // namespace

std::vector<int> TokenCounts::of_experts() const {
  std::vector<int> sums(experts, 0);
  for (int source = 0; source < sources; ++source) {
    for (int expert = 0; expert < experts; ++expert) sums[expert] += row(source)[expert];
  }
  return sums;
}

std::vector<int> deal(int amount, const std::vector<double>& weights, double uniform) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<int> parts(weights.size(), 0);
  if (amount == 0) return parts;
  double sum = 0;
  int dealt = 0;
  std::size_t last = 0;
  for (std::size_t bin = 0; bin < weights.size(); ++bin) {
    if (!(weights[bin] > 0)) continue;
    sum += weights[bin];
    const int until = std::min(amount, static_cast<int>(amount * (sum / total) + uniform));
    parts[bin] = until - dealt;
    dealt = until;
    last = bin;
  }
  parts[last] += amount - dealt;  // rounding of the sum
  return parts;
}

CountDraw::CountDraw(int top_k, const std::vector<double>& inclusion, RandomStream& random)
    : top_k_(top_k), order_(inclusion.size()), sums_(inclusion.size()) {
  const int experts = static_cast<int>(inclusion.size());
  std::iota(order_.begin(), order_.end(), 0);
  for (int place = experts - 1; place > 0; --place) {
    std::swap(order_[place], order_[random.below(place + 1)]);
  }
  double sum = 0;
  for (int place = 0; place < experts; ++place) sums_[place] = sum += inclusion[order_[place]];
  // Where rounding left a little: the end is where it must be, and nothing lies beyond.
  for (double& each : sums_) each = std::min<double>(each, top_k);
  sums_.back() = top_k;

  std::vector<std::pair<double, int>> parts;
  parts.reserve(experts);
  for (int place = 0; place < experts; ++place) {
    parts.emplace_back(sums_[place] - std::floor(sums_[place]), place);
  }
  std::sort(parts.begin(), parts.end());
  double last = 0;
  for (const auto& [part, place] : parts) {
    const double share = (part - last) / (1 - last);
    marks_.push_back({share, std::log1p(-share), place});
    last = part;
  }
}

void CountDraw::draw_each(int tokens, RandomStream& random, int* counts) const {
  for (int token = 0; token < tokens; ++token) {
    const double start = random.uniform();
    auto from = sums_.begin();
    for (int choice = 0; choice < top_k_; ++choice) {
      from = std::upper_bound(from, sums_.end(), start + choice);
      ++counts[order_[from - sums_.begin()]];
      ++from;
    }
  }
}

void CountDraw::draw_together(int tokens, RandomStream& random, int* counts) const {
  std::vector<int> below(sums_.size());  // starts below the mark, by place
  int left = tokens;
  for (const Mark& mark : marks_) {
    left -= mark.share > 0.5 ? random.binomial(left, mark.share)
                             : random.binomial(left, mark.share, mark.log_rest);
    below[mark.place] = tokens - left;
  }
  int before = 0;  // and a full round of starts for each whole number passed
  for (std::size_t place = 0; place < sums_.size(); ++place) {
    const int now = below[place] + tokens * static_cast<int>(sums_[place]);
    counts[order_[place]] = now - before;
    before = now;
  }
}

void CountDraw::draw(int tokens, RandomStream& random, int* counts) const {
  std::fill(counts, counts + order_.size(), 0);
  if (tokens <= kDrawnOneByOne) {
    draw_each(tokens, random, counts);
  } else {
    draw_together(tokens, random, counts);
  }
}

}  // namespace rehearse
