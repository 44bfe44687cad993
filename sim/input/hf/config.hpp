// The keys of a Hugging Face config.json: those of the language model.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "input/json_document.hpp"
#include "input/json_object.hpp"
#include "input/source_text.hpp"

namespace rehearse {

// What an integer may be.
struct IntegerRange {
  int least;
  int most;
};

// A key is looked for in the language model's object of a multimodal model (text_config,
// llm_config, language_config), then in the file's own. A null is as good as no key. Where several
// keys mean the same, `keys` has them all, "n_routed_experts|num_experts": the first that is there
// is read, and another that says something else is refused. What is looked up counts as understood.
class HfConfig {
 public:
  // Throws InputError for what is no JSON object.
  explicit HfConfig(const SourceText& source);

  const nlohmann::json* find(std::string_view keys) const;
  bool has(std::string_view keys) const { return find(keys) != nullptr; }
  // Whether the key is there, be it null.
  bool says(const std::string& key) const;
  // Where the key stands; of one that is missing, where it should stand.
  SourceLocation at(std::string_view keys) const;

  // "hidden_size = 3.5: RULE", or "hidden_size is missing: RULE".
  [[noreturn]] void refuse(std::string_view keys, const std::string& rule) const;

  // Throw InputError at the key for another type and another range.
  int integer(std::string_view keys, IntegerRange range) const;
  int integer_or(int otherwise, std::string_view keys, IntegerRange range) const;
  bool boolean_or(bool otherwise, std::string_view keys) const;
  double number(std::string_view keys) const;
  std::string string(std::string_view keys, const std::string& rule) const;
  std::string string_or(const std::string& otherwise, std::string_view keys) const;
  // A list with a value for each of `size` layers, or more where `longer` (the rest is of token
  // prediction).
  const nlohmann::json& list(std::string_view keys, int size, bool longer = false) const;
  // REQUIRES: there is such a key.
  JsonObject object(const std::string& key) const;

  // The keys mean nothing for this model: separated by blanks.
  void ignore(std::string_view keys) const;
  // Keys that say something (no null, false, 0, empty list) and were not looked up, with their
  // objects: "hidden_size", of the language model first.
  std::vector<std::string> unread() const;
  // "text_config"; empty: the file is the language model's.
  const std::string& nested() const { return nested_; }
  const JsonDocument& document() const { return json_; }
  const SourceLocation& start() const { return start_; }

 private:
  // The name of the first that is there, else the first.
  std::string named(std::string_view keys) const;
  const nlohmann::json* in(const nlohmann::json& object, const std::string& key) const;
  const nlohmann::json& language_model() const;

  SourceLocation start_;
  JsonDocument json_;
  std::string nested_;
  mutable std::set<std::string> read_;
};

}  // namespace rehearse
