// The patterns of quantisation lists: globs and regular expressions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rehearse {

// The shell's * ? [abc] [!abc] over the whole text; * goes over dots, too (fnmatch, which ModelOpt
// uses).
bool matches_glob(std::string_view glob, std::string_view text);

// A regular expression of literals, ., classes, \d \w \s \., groups, |, * + ? and {n,m}-free: what
// compressed-tensors' lists are made of. Its steps over a text are bounded by the product of both
// lengths.
class RegularExpression {
 public:
  // Absent: the text uses what is not understood (or is no regular expression).
  static std::optional<RegularExpression> parse(std::string_view text);

  // As Python's re.match: from the text's first character, not necessarily to its last.
  bool matches_begin(std::string_view text) const;

 private:
  friend class RegularExpressionParser;
  // A state goes on without a character (kSplit, kBegin, kEnd), or with one that it accepts.
  struct State {
    enum class Kind { kAny, kClass, kSplit, kBegin, kEnd, kMatch };
    Kind kind = Kind::kMatch;
    std::vector<bool> accepts = {};  // kClass: by character
    int next = -1;
    int other = -1;  // kSplit
  };
  void enter(int state, std::size_t at, std::string_view text, std::vector<bool>& in) const;

  std::vector<State> states_;
  int first_ = 0;
};

}  // namespace rehearse
