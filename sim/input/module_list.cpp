#include "input/module_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace rehearse {
namespace {

// Characters of all patterns x layers: what trying them costs.
constexpr double kMostPatternSteps = 1e6;

// "...experts.7.up_proj" as "...experts.0.up_proj" and 7; -1: no expert's.
int take_expert(std::string& name) {
  constexpr std::string_view kExperts = "experts.";
  const auto at = name.find(kExperts);
  if (at == std::string::npos) return -1;
  const auto begin = at + kExperts.size();
  const auto end = std::min(name.find('.', begin), name.size());
  const std::string digits = name.substr(begin, end - begin);
  constexpr std::size_t kMostDigits = 6;
  const bool number = !digits.empty() && digits.size() <= kMostDigits &&
                      std::all_of(digits.begin(), digits.end(),
                                  [](char digit) { return digit >= '0' && digit <= '9'; });
  if (!number) return -1;
  name.replace(begin, digits.size(), "0");
  return std::stoi(digits);
}

// What a model inside a larger one, or one of another library, puts before its modules' names
// instead of "model.".
constexpr std::string_view kOtherPrefixes[] = {"language_model.model.", "model.language_model.",
                                               "language_model.", "backbone."};

std::string without_prefix(const std::string& name) {
  for (const std::string_view prefix : kOtherPrefixes) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

// The module by the name that the pattern would have for it.
std::string as_called_by(const std::string& pattern, const std::string& module) {
  constexpr std::string_view kModel = "model.";
  for (const std::string_view prefix : kOtherPrefixes) {
    if (pattern.find(prefix) == std::string::npos) continue;
    return std::string(prefix) +
           (module.starts_with(kModel) ? module.substr(kModel.size()) : module);
  }
  return module;
}

}  // namespace

void ModuleList::add(const std::string& word, int value, const SourceLocation& where) {
  const int index = static_cast<int>(words_.size());
  words_.push_back({word, value});
  const bool expression = patterns_ == Patterns::kRegularExpressions && word.starts_with("re:");
  const bool glob = patterns_ == Patterns::kGlobs && word.find_first_of("*?[") != std::string::npos;
  if (!expression && !glob) {
    std::string name = without_prefix(word);
    const int expert = take_expert(name);
    const auto [at, is_new] = names_.try_emplace(name, Name{index});
    if (expert >= 0) at->second.experts.insert(expert);
    if (!is_new && words_[at->second.word].value != value) {
      throw InputError(where, fmt::format("\"{}\" and \"{}\" are quantised in different ways: not "
                                          "modelled",
                                          words_[at->second.word].text, word));
    }
    return;
  }
  pattern_steps_ += static_cast<double>(word.size()) * layers_;
  if (pattern_steps_ > kMostPatternSteps) {
    throw InputError(where, "too many patterns: name the modules instead");
  }
  Pattern pattern{index, {}, glob};
  if (expression) {
    const auto parsed = RegularExpression::parse(std::string_view(word).substr(3));
    if (!parsed) {
      throw InputError(where, fmt::format("the regular expression \"{}\" is not understood", word));
    }
    pattern.expression = *parsed;
  }
  with_pattern_.push_back(std::move(pattern));
}

void ModuleList::check_experts(const SourceLocation& where) const {
  for (const auto& [text, name] : names_) {
    const int listed = static_cast<int>(name.experts.size());
    if (listed == 0 || (listed == experts_ && *name.experts.rbegin() < experts_)) continue;
    throw InputError(where, fmt::format("names {} of {} experts like \"{}\": experts of a layer "
                                        "that are stored in different ways are not modelled",
                                        listed, experts_, words_[name.word].text));
  }
}

int ModuleList::find(const std::string& module) {
  int value = find_name(module);
  for (const Pattern& pattern : with_pattern_) {
    Word& word = words_[pattern.word];
    if (value != kNotListed && word.used) continue;
    if (!matches(pattern, module)) continue;
    word.used = true;
    if (value == kNotListed) value = word.value;
  }
  return value;
}

// All runs of the module's words, the longest first.
int ModuleList::find_name(const std::string& module) {
  if (names_.empty()) return kNotListed;
  std::vector<std::size_t> begins = {0};
  for (auto dot = module.find('.'); dot != std::string::npos; dot = module.find('.', dot + 1)) {
    begins.push_back(dot + 1);
  }
  begins.push_back(module.size() + 1);
  int value = kNotListed;
  for (std::size_t length = begins.size() - 1; length > 0; --length) {
    for (std::size_t first = 0; first + length < begins.size(); ++first) {
      const std::size_t begin = begins[first];
      const auto found = names_.find(module.substr(begin, begins[first + length] - begin - 1));
      if (found == names_.end()) continue;
      Word& word = words_[found->second.word];
      word.used = true;
      if (value == kNotListed) value = word.value;
    }
  }
  return value;
}

bool ModuleList::matches(const Pattern& pattern, const std::string& module) const {
  const std::string& word = words_[pattern.word].text;
  const std::string called = as_called_by(word, module);
  if (!pattern.is_glob) return pattern.expression.matches_begin(called);
  std::string_view part = called;
  while (!matches_glob(word, part)) {
    const auto dot = part.rfind('.');
    if (dot == std::string_view::npos) return false;
    part = part.substr(0, dot);
  }
  return true;
}

std::vector<std::string> ModuleList::unused() const {
  // Of an expert's name only the first one is looked up.
  std::set<int> first_names;
  for (const auto& [text, name] : names_) first_names.insert(name.word);
  for (const Pattern& pattern : with_pattern_) first_names.insert(pattern.word);
  std::vector<std::string> texts;
  for (const int index : first_names) {
    if (!words_[index].used) texts.push_back(words_[index].text);
  }
  return texts;
}

}  // namespace rehearse
