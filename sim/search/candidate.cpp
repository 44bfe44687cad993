#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "layout/prefill_passes.hpp"
#include "search/field_value.hpp"
#include "search/space.hpp"

namespace rehearse {
namespace {

constexpr char kStages[] = "layers";  // of a key; no collective operation is called so

}  // namespace

Plan plan_of(const Plan& base, const Space& space, const Candidate& candidate) {
  Plan plan = base;
  plan.platform_path = space.platforms[candidate.platform].path;
  plan.layout = candidate.layout;
  plan.batch.decode_micro_batches = candidate.decode_micro_batches;
  // A number that is the default says the same as none: real lengths are cut likewise.
  choose_prefill_passes(plan);
  plan.batch.default_passes =
      base.batch.default_passes && plan.batch.micro_batches == candidate.micro_batches;
  plan.batch.micro_batches = candidate.micro_batches;
  plan.collectives = candidate.collectives;
  return plan;
}

std::string key_of(const Space& space, const Candidate& candidate) {
  const Layout& at = candidate.layout;
  std::string key = fmt::format("{} tp={} pp={} dp={} ep={} etp={} sp={} mb={} dmb={} {}",
                                space.platforms[candidate.platform].id, at.tensor, at.pipeline,
                                at.data, at.expert, at.expert_tensor, at.sequence_parallel ? 1 : 0,
                                candidate.micro_batches, candidate.decode_micro_batches, at.order);
  for (const auto& [op, algorithm] : candidate.collectives) {
    key += fmt::format(" {}={}", op, algorithm);
  }
  if (!at.layers_per_stage.empty()) {
    key += fmt::format(" {}={}", kStages, fmt::join(at.layers_per_stage, ","));
  }
  return key;
}

std::optional<Candidate> candidate_of(const Space& space, const std::string& key) {
  char id[13] = "";
  char order[32] = "";
  int sequence_parallel = 0;
  int read = 0;
  Candidate candidate;
  Layout& at = candidate.layout;
  const int found = std::sscanf(
      key.c_str(), "%12s tp=%d pp=%d dp=%d ep=%d etp=%d sp=%d mb=%d dmb=%d %31s%n", id, &at.tensor,
      &at.pipeline, &at.data, &at.expert, &at.expert_tensor, &sequence_parallel,
      &candidate.micro_batches, &candidate.decode_micro_batches, order, &read);
  const auto platform = std::find_if(space.platforms.begin(), space.platforms.end(),
                                     [&](const SearchPlatform& each) { return each.id == id; });
  if (found != 10 || platform == space.platforms.end()) return std::nullopt;
  candidate.platform = static_cast<int>(platform - space.platforms.begin());
  at.order = order;
  at.sequence_parallel = sequence_parallel != 0;
  std::istringstream rest(key.substr(static_cast<std::size_t>(read)));
  for (std::string word; rest >> word;) {
    std::string op;
    std::string algorithm;
    if (!split_pair(word, op, algorithm)) return std::nullopt;
    if (op == kStages) {
      std::istringstream layers(algorithm);
      for (int count = 0; layers >> count; layers.ignore(1)) at.layers_per_stage.push_back(count);
    } else {
      candidate.collectives[op] = algorithm;
    }
  }
  return candidate;
}

}  // namespace rehearse
