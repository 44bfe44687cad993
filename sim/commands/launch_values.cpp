// What the value of a flag means: numbers, switches and names.
#include "commands/launch_values.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.hpp"
#include "base/limits.hpp"

namespace rehearse {

bool is_among(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

std::string LaunchValues::use(const FlagRow& row, const LaunchWord& word, bool on,
                              const std::string& value) {
  if (!use_number(row, word, value) && !use_switch(row, on)) use_text(row, word, value);
  return std::exchange(refusal_, "");
}

void LaunchValues::refuse(const LaunchWord& word, const std::string& rule) const {
  throw InputError({table_.option, 1, word.column}, rule);
}

// "32k" is 32,000, vLLM's "32K" and SGLang's "32Ki" are 32,768.
int LaunchValues::number(const LaunchWord& word, const std::string& value) const {
  double amount = 0;
  const char* const end = value.data() + value.size();
  const auto [rest, failure] = std::from_chars(value.data(), end, amount);
  const std::string_view unit(rest, end - rest);
  double factor = 0;
  if (unit.empty()) factor = 1;
  if (unit == "k") factor = 1e3;
  if (unit == "K" || unit == "Ki") factor = 1024;
  if (unit == "m" || unit == "M") factor = 1e6;
  if (unit == "M" && std::string_view(table_.engine) == "vllm") factor = 1024.0 * 1024;
  if (unit == "Mi") factor = 1024.0 * 1024;
  amount *= factor;
  if (failure != std::errc{} || factor == 0 || amount != std::floor(amount) || amount < 1 ||
      amount > kMostTokens) {
    refuse(word, fmt::format("{} {}: must be a whole number from 1 to {}", word.text, value,
                             kMostTokens));
  }
  return static_cast<int>(amount);
}

bool LaunchValues::use_number(const FlagRow& row, const LaunchWord& word,
                              const std::string& value) {
  const auto into = [&](auto& setting) {
    setting = number(word, value);
    return true;
  };
  switch (row.use) {
    case FlagUse::kTensor:
      return into(settings_.tensor);
    case FlagUse::kPipeline:
      return into(settings_.pipeline);
    case FlagUse::kData:
      return into(settings_.data);
    case FlagUse::kExpertDegree:
      return into(settings_.expert_degree);
    case FlagUse::kMaxSequences:
      return into(settings_.max_sequences);
    case FlagUse::kBlock:
      return into(settings_.block);
    case FlagUse::kBlocks:
      return into(settings_.blocks);
    case FlagUse::kPoolTokens:
      return into(settings_.pool_tokens);
    case FlagUse::kSpeculativeSteps:
      return into(steps_);
    case FlagUse::kSpeculativeTokens:
      return into(draft_tokens_);
    case FlagUse::kSpeculativeTopK:
      return into(top_k_);
    case FlagUse::kMaxLength:
      if (value == "-1" || value == "auto") {
        refusal_ = "as long as the memory allows: give a number";
        return true;
      }
      return into(settings_.max_length);
    case FlagUse::kMaxTokens:
      if (value == "-1") {
        settings_.chunked = false;
        return true;
      }
      return into(settings_.max_tokens);
    case FlagUse::kMemoryFraction:
      settings_.memory_fraction = fraction(word, value);
      return true;
    default:
      return false;
  }
}

double LaunchValues::fraction(const LaunchWord& word, const std::string& value) const {
  double amount = 0;
  const char* const end = value.data() + value.size();
  const auto [rest, failure] = std::from_chars(value.data(), end, amount);
  if (failure == std::errc{} && rest == end && amount > 0 && amount <= 1) return amount;
  refuse(word, fmt::format("{} {}: must be a number above 0, at most 1", word.text, value));
}

bool LaunchValues::use_switch(const FlagRow& row, bool on) {
  switch (row.use) {
    case FlagUse::kExpertParallel:
      settings_.expert_parallel = on;
      return true;
    case FlagUse::kDpAttention:
      settings_.dp_attention = true;
      return true;
    case FlagUse::kPrefixCache:
      settings_.prefix_cache = on;
      return true;
    case FlagUse::kNoPrefixCache:
      settings_.prefix_cache = false;
      return true;
    case FlagUse::kChunked:
      settings_.chunked = on;
      return true;
    case FlagUse::kAsync:
      settings_.asynchronous = on;
      return true;
    case FlagUse::kNoAsync:
      settings_.asynchronous = false;
      return true;
    case FlagUse::kNoGraphs:
      settings_.no_graphs = on;
      return true;
    case FlagUse::kNoCustomAllReduce:
      if (on) settings_.library = "nccl";
      return true;
    default:
      return false;
  }
}

void LaunchValues::use_text(const FlagRow& row, const LaunchWord& word, const std::string& value) {
  switch (row.use) {
    case FlagUse::kModel:
      settings_.model = value;
      return;
    case FlagUse::kType:
      if (value == "auto") refusal_ = kHarmless;
      if (!is_among("auto half float16 bfloat16", value)) {
        refusal_ = "activations of 32 bits: give a model that has them";
      }
      return;
    case FlagUse::kCacheType:
      use_cache_type(value);
      return;
    case FlagUse::kQuantization:
      settings_.quantization = value;
      return;
    case FlagUse::kPolicy:
      if (!is_among(std::string_view(table_.engine) == "vllm" ? "fcfs priority" : "fcfs", value)) {
        refusal_ = "only order of arrival is modelled (of vLLM priority, too)";
      } else {
        settings_.policy = value;
      }
      return;
    case FlagUse::kRouter:
      if (value == "auto") {
        refusal_ = kHarmless;
      } else if (value == "round_robin") {
        settings_.router = value;
      } else if (value == "total_requests") {
        settings_.router = "least_loaded";
      } else {
        refusal_ = "no router does that";
      }
      return;
    case FlagUse::kAllToAll:
      use_all_to_all(value);
      return;
    case FlagUse::kSpeculativeJson:
      use_drafts(word, value);
      return;
    case FlagUse::kSpeculativeMethod:
      method_ = value;
      return;
    default:
      SIM_CHECK(false, "a flag that nobody uses");
  }
}

void LaunchValues::use_cache_type(const std::string& value) {
  if (value == "auto") {
    refusal_ = kHarmless;
  } else if (is_among("fp8 fp8_e4m3 fp8_e5m2", value)) {
    settings_.cache_type = "fp8";
  } else if (is_among("bf16 bfloat16", value)) {
    settings_.cache_type = "bf16";
  } else {
    refusal_ = "keys and values are of bf16 or fp8 here";
  }
}

void LaunchValues::use_all_to_all(const std::string& value) {
  const bool vllm = std::string_view(table_.engine) == "vllm";
  if (value == "none" || value == "allgather_reducescatter") {
    refusal_ = kHarmless;
  } else if (value == "deepep_low_latency") {
    settings_.library = value;
  } else if (value == "deepep_high_throughput" || (!vllm && value == "deepep")) {
    settings_.library = "deepep_normal";
  } else {
    refusal_ = "of libraries that exchange experts' tokens DeepEP's are modelled";
  }
  if (!vllm && !settings_.library.empty()) settings_.expert_parallel = true;
}

// vllm/config/speculative.py: a JSON object.
void LaunchValues::use_drafts(const LaunchWord& word, const std::string& value) {
  const nlohmann::json config = nlohmann::json::parse(value, nullptr, false);
  if (!config.is_object()) refuse(word, fmt::format("{}: must be a JSON object", word.text));
  const std::string method = config.value("method", "");
  const auto tokens = config.find("num_speculative_tokens");
  if (is_among("ngram ngram_gpu", method)) {
    settings_.drafts = "ngram";
  } else if (method == "mtp" || method.ends_with("_mtp")) {
    settings_.drafts = "mtp";
  } else {
    refusal_ = "draft models are not modelled: a model's own prediction and n-grams are";
    return;
  }
  for (const auto& [key, ignored] : config.items()) {
    if (is_among("method num_speculative_tokens prompt_lookup_max prompt_lookup_min", key))
      continue;
    refusal_ = fmt::format("its key \"{}\" is not modelled", key);
    settings_.drafts.clear();
    return;
  }
  if (tokens == config.end() || !tokens->is_number_integer() || tokens->get<int>() < 1) {
    refuse(word, fmt::format("{}: needs num_speculative_tokens of at least 1", word.text));
  }
  settings_.drafted = tokens->get<int>();
}

// SGLang says it in several flags: a chain of steps, each with a token.
std::string LaunchValues::settle_drafts() {
  if (method_.empty()) return {};
  if (top_k_.value_or(1) != 1)
    return "trees of drafts are not modelled: --speculative-eagle-topk 1";
  if (is_among("NEXTN EAGLE", method_) && steps_) {
    settings_.drafts = "mtp";
    settings_.drafted = steps_;
  } else if (method_ == "NGRAM" && draft_tokens_) {
    settings_.drafts = "ngram";
    settings_.drafted = draft_tokens_;
  } else {
    return "draft models are not modelled (a model's own prediction needs --speculative-num-steps)";
  }
  return {};
}

}  // namespace rehearse
