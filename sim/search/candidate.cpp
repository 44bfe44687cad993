#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

#include "layout/prefill_passes.hpp"
#include "search/field_value.hpp"
#include "search/space.hpp"

namespace rehearse {
namespace {

constexpr char kStages[] = "layers";  // of a key; no collective operation is called so

// "tp=2", or nothing of a late field at its default.
std::string word_of(const LayoutField& field, const Candidate& candidate) {
  const int value = value_of(field, candidate);
  if (field.searched == SearchedAs::kNever || (field.late && value == default_of(field))) return {};
  return fmt::format(" {}={}", field.shorthand, value);
}

const LayoutField* field_of(const std::string& shorthand) {
  const auto* const found =
      std::find_if(std::begin(kLayoutFields), std::end(kLayoutFields),
                   [&](const LayoutField& each) { return each.shorthand == shorthand; });
  return found == std::end(kLayoutFields) ? nullptr : found;
}

// Takes FIELD=VALUE of a key; false: it is none.
bool take_word(const std::string& word, Candidate& candidate, std::set<const LayoutField*>& seen) {
  std::string name;
  std::string value;
  if (!split_pair(word, name, value)) return false;
  if (const LayoutField* const field = field_of(name)) {
    int number = 0;
    const char* const end = value.data() + value.size();
    const auto [rest, failure] = std::from_chars(value.data(), end, number);
    set_value(*field, number, candidate.layout, candidate);
    return failure == std::errc{} && rest == end && seen.insert(field).second;
  }
  if (std::find(std::begin(kQuantized), std::end(kQuantized), name) != std::end(kQuantized)) {
    return candidate.quantization.emplace(name, value).second;
  }
  if (name != kStages) return candidate.collectives.emplace(name, value).second;
  std::istringstream layers(value);
  for (int count = 0; layers >> count; layers.ignore(1)) {
    candidate.layout.layers_per_stage.push_back(count);
  }
  return true;
}

}  // namespace

Candidate own_candidate(const Plan& plan) {
  return {parts_of(plan), 0, plan.layout, plan.collectives};
}

std::string quantization_text(const std::map<std::string, std::string>& quantization) {
  std::string text;
  for (const auto& [field, dtype] : quantization) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", field, dtype);
  }
  return text;
}

const Model& model_of(const Space& space, const Model& base, const Candidate& candidate) {
  return candidate.quantization.empty() ? base : space.quantized.at(candidate.quantization);
}

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
  if (!plan.serve) return plan;
  plan.serve->replicas = candidate.replicas;
  EngineChoice& engine = plan.serve->engine;
  if (candidate.max_sequences > 0) engine.max_sequences = candidate.max_sequences;
  if (candidate.max_tokens_per_pass > 0) engine.max_tokens_per_pass = candidate.max_tokens_per_pass;
  return plan;
}

std::string key_of(const Space& space, const Candidate& candidate) {
  const Layout& at = candidate.layout;
  std::string key = space.platforms[candidate.platform].id;
  for (const LayoutField& each : kLayoutFields) key += word_of(each, candidate);
  key += " " + at.order;
  for (const auto& [op, algorithm] : candidate.collectives) {
    key += fmt::format(" {}={}", op, algorithm);
  }
  for (const auto& [field, dtype] : candidate.quantization) {
    key += fmt::format(" {}={}", field, dtype);
  }
  if (!at.layers_per_stage.empty()) {
    key += fmt::format(" {}={}", kStages, fmt::join(at.layers_per_stage, ","));
  }
  return key;
}

std::optional<Candidate> candidate_of(const Space& space, const std::string& key) {
  std::istringstream words(key);
  std::string id;
  words >> id;
  const auto platform = std::find_if(space.platforms.begin(), space.platforms.end(),
                                     [&](const SearchPlatform& each) { return each.id == id; });
  if (platform == space.platforms.end()) return std::nullopt;
  Candidate candidate;
  candidate.platform = static_cast<int>(platform - space.platforms.begin());
  candidate.layout.order.clear();
  std::set<const LayoutField*> seen;
  for (std::string word; words >> word;) {
    const bool is_order = word.find('=') == std::string::npos;
    if (is_order ? !candidate.layout.order.empty() : !take_word(word, candidate, seen)) {
      return std::nullopt;
    }
    if (is_order) candidate.layout.order = word;
  }
  const bool whole =
      std::all_of(std::begin(kLayoutFields), std::end(kLayoutFields), [&](const LayoutField& each) {
        return each.searched == SearchedAs::kNever || each.late || seen.contains(&each);
      });
  if (!whole || candidate.layout.order.empty()) return std::nullopt;
  return candidate;
}

}  // namespace rehearse
