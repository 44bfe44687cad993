// The values of flags that a plan has a field for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "commands/launch_settings.hpp"
#include "commands/launch_words.hpp"

namespace rehearse {

// Of words with a blank between.
bool is_among(std::string_view words, std::string_view word);

class LaunchValues {
 public:
  // `settings` outlives it.
  LaunchValues(const LaunchTable& table, LaunchSettings& settings)
      : table_(table), settings_(settings) {}

  // Why the flag is refused with this value; kHarmless: it changes nothing; empty: it is used.
  // Throws InputError for a value that no engine takes.
  std::string use(const FlagRow& row, const LaunchWord& word, bool on, const std::string& value);
  static constexpr const char* kHarmless = "harmless";

  // After the last flag. Why drafts are refused; empty: they are not.
  std::string settle_drafts();

 private:
  [[noreturn]] void refuse(const LaunchWord& word, const std::string& rule) const;
  bool use_number(const FlagRow& row, const LaunchWord& word, const std::string& value);
  bool use_switch(const FlagRow& row, bool on);
  void use_text(const FlagRow& row, const LaunchWord& word, const std::string& value);
  int number(const LaunchWord& word, const std::string& value) const;
  double fraction(const LaunchWord& word, const std::string& value) const;
  void use_cache_type(const std::string& value);
  void use_all_to_all(const std::string& value);
  void use_drafts(const LaunchWord& word, const std::string& value);

  const LaunchTable& table_;
  LaunchSettings& settings_;
  std::string refusal_;  // of the flag that is being used
  std::string method_;   // of drafts, as SGLang says it
  std::optional<int> steps_;
  std::optional<int> draft_tokens_;
  std::optional<int> top_k_;
};

}  // namespace rehearse
