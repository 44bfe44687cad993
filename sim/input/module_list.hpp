// A checkpoint's list of modules: those that it quantises, or that it leaves as they are.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "input/module_pattern.hpp"

namespace rehearse {

// Modules are named as the Hugging Face checkpoints do: "model.layers.3.self_attn.q_proj". A word
// of the list that is a name means every module in whose path its words stand one behind the other:
// "model.layers.3", "self_attn", "lm_head".
class ModuleList {
 public:
  enum class Patterns {
    kGlobs,               // words with * ? [ are globs of a module or of what it is part of
    kRegularExpressions,  // words that begin with "re:" are (compressed-tensors)
  };

  // `experts` of a layer; a list that names some of them and not all is refused.
  ModuleList(Patterns patterns, int layers, int experts)
      : patterns_(patterns), layers_(layers), experts_(experts) {}

  // `value`: what find() gives for the modules that the word means. Throws InputError at `where`.
  void add(const std::string& word, int value, const SourceLocation& where);
  // After the last add().
  void check_experts(const SourceLocation& where) const;

  static constexpr int kNotListed = -1;
  // The value of the longest name that means the module, else of the first pattern.
  int find(const std::string& module);

  // Words that meant no module so far, in their order.
  std::vector<std::string> unused() const;
  bool empty() const { return words_.empty(); }

 private:
  struct Word {
    std::string text;
    int value;
    bool used = false;
  };
  struct Pattern {
    int word;
    RegularExpression expression;  // else its word is a glob
    bool is_glob;
  };
  struct Name {
    int word;
    std::set<int> experts = {};  // whose numbers the names have that are this name but for them
  };

  int find_name(const std::string& module);
  bool matches(const Pattern& pattern, const std::string& module) const;

  Patterns patterns_;
  int layers_;
  int experts_;
  double pattern_steps_ = 0;
  std::vector<Word> words_;
  std::map<std::string, Name> names_;  // the number of an expert is 0
  std::vector<Pattern> with_pattern_;
};

}  // namespace rehearse
