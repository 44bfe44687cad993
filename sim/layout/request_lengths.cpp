#include "layout/request_lengths.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/random_stream.hpp"
#include "layout/layout.hpp"
#include "layout/prefill_passes.hpp"

namespace rehearse {
namespace {

// Lognormal with the mean batch.prompt_tokens: of normal z, exp(mu + sigma z) where sigma^2 =
// ln(1 + variation^2) and mu = ln mean - sigma^2 / 2. At least one token.
std::vector<int> drawn(const Plan& plan) {
  constexpr std::uint64_t kLengths = 21;
  const double variation = plan.batch.lengths.variation;
  const double sigma = std::sqrt(std::log1p(variation * variation));
  const double mu = std::log(plan.batch.prompt_tokens) - sigma * sigma / 2;
  RandomStream random({plan.seed, kLengths});
  std::vector<int> lengths;
  for (int request = 0; request < plan.batch.sequences; ++request) {
    const double length = std::exp(mu + sigma * random.normal());
    lengths.push_back(static_cast<int>(std::lround(std::clamp(length, 1.0, 1e9))));
  }
  return lengths;
}

std::vector<int> bucketed(std::vector<int> lengths, const Plan& plan) {
  std::sort(lengths.begin(), lengths.end(), std::greater<>());
  const int replicas = plan.layout.dense_data();
  std::vector<std::vector<int>> dealt(replicas);
  std::vector<double> tokens(replicas, 0.0);
  for (const int length : lengths) {
    int chosen = -1;
    for (int replica = 0; replica < replicas; ++replica) {
      const int room = share_of(plan.batch.sequences, replicas, replica).count;
      if (static_cast<int>(dealt[replica].size()) == room) continue;
      if (chosen < 0 || tokens[replica] < tokens[chosen]) chosen = replica;
    }
    dealt[chosen].push_back(length);
    tokens[chosen] += length;
  }
  lengths.clear();
  for (const std::vector<int>& own : dealt) lengths.insert(lengths.end(), own.begin(), own.end());
  return lengths;
}

}  // namespace

std::vector<int> prompt_lengths(const Plan& plan) {
  const PromptLengths& choice = plan.batch.lengths;
  if (!choice.given) return {};
  std::vector<int> lengths = choice.of_file.empty() ? drawn(plan) : choice.of_file;
  lengths.resize(plan.batch.sequences);
  return choice.order == RequestOrder::kBucketed ? bucketed(std::move(lengths), plan) : lengths;
}

std::vector<int> computed_lengths(const Plan& plan) {
  const std::vector<int> prompts = prompt_lengths(plan);
  std::vector<int> lengths = prompts;
  if (!plan.batch.lengths.padded) return lengths;
  const int replicas = plan.layout.dense_data();
  for (int replica = 0; replica < replicas; ++replica) {
    const Share own = share_of(plan.batch.sequences, replicas, replica);
    for (const Share& share : prefill_passes(plan, prompts, own)) {
      const auto begin = lengths.begin() + own.first + share.first;
      if (share.count > 0) {
        std::fill(begin, begin + share.count, *std::max_element(begin, begin + share.count));
      }
    }
  }
  return lengths;
}

double prompt_tokens(const Plan& plan) {
  if (plan.serve) {
    double tokens = 0;
    for (const Request& request : plan.serve->requests) tokens += request.prompt_tokens;
    return tokens;
  }
  const std::vector<int> lengths = prompt_lengths(plan);
  if (lengths.empty()) {
    return static_cast<double>(plan.batch.sequences) * plan.batch.prompt_tokens;
  }
  return std::accumulate(lengths.begin(), lengths.end(), 0.0);
}

double output_tokens(const Plan& plan) {
  if (!plan.serve) return static_cast<double>(plan.batch.sequences) * plan.batch.output_tokens;
  double tokens = 0;
  for (const Request& request : plan.serve->requests) tokens += request.output_tokens;
  return tokens;
}

std::vector<double> replica_tokens(const Plan& plan) {
  const std::vector<int> lengths = computed_lengths(plan);
  const int replicas = plan.layout.dense_data();
  std::vector<double> tokens;
  for (int replica = 0; replica < replicas; ++replica) {
    const Share own = share_of(plan.batch.sequences, replicas, replica);
    if (lengths.empty()) {
      tokens.push_back(static_cast<double>(own.count) * plan.batch.prompt_tokens);
      continue;
    }
    const auto begin = lengths.begin() + own.first;
    tokens.push_back(std::accumulate(begin, begin + own.count, 0.0));
  }
  return tokens;
}

}  // namespace rehearse
