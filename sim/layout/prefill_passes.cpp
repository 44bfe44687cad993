#include "layout/prefill_passes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "layout/request_lengths.hpp"

namespace rehearse {
namespace {

// Consecutive requests into as few passes as their order allows.
std::vector<Share> full_passes(const std::vector<int>& prompts, Share own, bool padded) {
  std::vector<Share> passes;
  double tokens = 0;
  double longest = 0;
  for (int request = 0; request < own.count; ++request) {
    const double length = prompts[own.first + request];
    const bool begins = passes.empty();
    const double most = begins ? length : std::max(longest, length);
    const double with = padded && !begins ? most * (passes.back().count + 1) : tokens + length;
    if (begins || with > kPrefillPassTokens) {
      passes.push_back({request, 1});
      tokens = longest = length;
    } else {
      ++passes.back().count;
      tokens = with;
      longest = most;
    }
  }
  return passes;
}

int least_equal_passes(int requests, int prompt_tokens) {
  const int together = std::max(1, kPrefillPassTokens / prompt_tokens);
  return requests / together + (requests % together > 0 ? 1 : 0);
}

std::vector<Share> even_passes(Share own, int parts) {
  std::vector<Share> passes;
  passes.reserve(parts);
  for (int part = 0; part < parts; ++part) passes.push_back(share_of(own.count, parts, part));
  return passes;
}

int least_passes(const Plan& plan) {
  const int replicas = plan.layout.dense_data();
  const std::vector<int> prompts = prompt_lengths(plan);
  if (prompts.empty()) {
    return least_equal_passes(share_of(plan.batch.sequences, replicas, 0).count,
                              plan.batch.prompt_tokens);
  }
  std::size_t most = 1;
  for (int replica = 0; replica < replicas; ++replica) {
    const Share own = share_of(plan.batch.sequences, replicas, replica);
    if (own.count == 0) break;
    most = std::max(most, full_passes(prompts, own, plan.batch.lengths.padded).size());
  }
  return static_cast<int>(most);
}

}  // namespace

void choose_prefill_passes(Plan& plan) {
  if (plan.batch.default_passes) plan.batch.micro_batches = least_passes(plan);
}

std::vector<Share> prefill_passes(const Plan& plan, const std::vector<int>& prompts, Share own) {
  const int parts = plan.batch.micro_batches;
  if (plan.batch.default_passes && !prompts.empty()) {
    std::vector<Share> passes = full_passes(prompts, own, plan.batch.lengths.padded);
    passes.resize(parts, {own.count, 0});
    return passes;
  }
  return even_passes(own, parts);
}

std::vector<std::vector<Share>> default_prefill_passes(const std::vector<int>& prompts,
                                                       int replicas) {
  const int requests = static_cast<int>(prompts.size());
  const bool equal =
      std::adjacent_find(prompts.begin(), prompts.end(), std::not_equal_to<>()) == prompts.end();
  std::size_t parts =
      equal ? least_equal_passes(share_of(requests, replicas, 0).count, prompts.front()) : 0;
  std::vector<std::vector<Share>> passes;
  passes.reserve(replicas);
  for (int replica = 0; replica < replicas; ++replica) {
    const Share own = share_of(requests, replicas, replica);
    passes.push_back(equal ? even_passes(own, static_cast<int>(parts))
                           : full_passes(prompts, own, false));
    parts = std::max(parts, passes.back().size());
  }
  for (int replica = 0; replica < replicas; ++replica) {
    passes[replica].resize(parts, {share_of(requests, replicas, replica).count, 0});
  }
  return passes;
}

std::string prefill_text(const Batch& batch) {
  std::string passes =
      fmt::format("{} micro-batch{}", batch.micro_batches, batch.micro_batches == 1 ? "" : "es");
  if (!batch.default_passes) return passes;
  if (batch.lengths.given) return passes + " of at most 8,192 tokens or one request (default)";
  if (batch.prompt_tokens <= kPrefillPassTokens)
    return passes + " of at most 8,192 tokens (default)";
  return passes + " of one request each (default: at most 8,192 tokens)";
}

}  // namespace rehearse
