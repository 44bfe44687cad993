// The regular expressions are simulated as automata (Thompson 1968), all states at once: no
// backtracking, and the only recursion, over nested groups, has a limit.
#include "input/module_pattern.hpp"

#include <utility>

namespace rehearse {
namespace {

constexpr int kCharacters = 256;
constexpr int kDeepestGroup = 50;
constexpr std::size_t kLongestExpression = 4096;

// The end of the class that begins at `at` with "[", or npos.
std::size_t class_end(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  if (end < text.size() && (text[end] == '!' || text[end] == '^')) ++end;
  if (end < text.size() && text[end] == ']') ++end;
  return text.find(']', end);
}

// Of "[a-z_]", "[!0]" or "[^0]" without its brackets.
std::vector<bool> class_of(std::string_view inside) {
  const bool inverted = !inside.empty() && (inside[0] == '!' || inside[0] == '^');
  if (inverted) inside.remove_prefix(1);
  std::vector<bool> accepts(kCharacters, inverted);
  for (std::size_t at = 0; at < inside.size(); ++at) {
    const auto from = static_cast<unsigned char>(inside[at]);
    const bool range = at + 2 < inside.size() && inside[at + 1] == '-';
    const auto to = range ? static_cast<unsigned char>(inside[at + 2]) : from;
    for (int each = from; each <= to; ++each) accepts[each] = !inverted;
    if (range) at += 2;
  }
  return accepts;
}

bool accepts(const std::vector<bool>& set, char character) {
  return set[static_cast<unsigned char>(character)];
}

}  // namespace

bool matches_glob(std::string_view glob, std::string_view text) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;  // where the last * stands, and what it has eaten to
  std::size_t eaten = 0;
  while (in < text.size()) {
    const std::size_t end =
        at < glob.size() && glob[at] == '[' ? class_end(glob, at) : std::string_view::npos;
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      eaten = in;
    } else if (end != std::string_view::npos &&
               accepts(class_of(glob.substr(at + 1, end - at - 1)), text[in])) {
      at = end + 1;
      ++in;
    } else if (end == std::string_view::npos && at < glob.size() &&
               (glob[at] == '?' || glob[at] == text[in])) {
      ++at;
      ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in = ++eaten;
    } else {
      return false;
    }
  }
  while (at < glob.size() && glob[at] == '*') ++at;
  return at == glob.size();
}

// Each part is built with an open end, which the next part closes.
class RegularExpressionParser {
 public:
  explicit RegularExpressionParser(std::string_view text) : text_(text) {}

  std::optional<RegularExpression> run() {
    if (text_.size() > kLongestExpression) return std::nullopt;
    const Part whole = alternatives(0);
    if (failed_ || at_ != text_.size()) return std::nullopt;
    close(whole, add({State::Kind::kMatch}));
    result_.first_ = whole.begin;
    return std::move(result_);
  }

 private:
  using State = RegularExpression::State;
  // States from `begin` on; `end` is a split without a way on yet.
  struct Part {
    int begin;
    int end;
  };

  int add(State state) {
    result_.states_.push_back(std::move(state));
    return static_cast<int>(result_.states_.size()) - 1;
  }
  int split(int next = -1, int other = -1) { return add({State::Kind::kSplit, {}, next, other}); }
  void close(const Part& part, int next) { result_.states_[part.end].next = next; }
  Part then(const Part& first, const Part& second) {
    close(first, second.begin);
    return {first.begin, second.end};
  }
  Part nothing() {
    const int only = split();
    return {only, only};
  }
  Part one(State state) {
    const int end = split();
    state.next = end;
    return {add(std::move(state)), end};
  }
  Part fail() {
    failed_ = true;
    at_ = text_.size();
    return nothing();
  }
  bool ahead(char character) const { return at_ < text_.size() && text_[at_] == character; }

  Part alternatives(int depth) {
    Part all = sequence(depth);
    while (ahead('|')) {
      ++at_;
      const Part other = sequence(depth);
      const int end = split();
      close(all, end);
      close(other, end);
      all = {split(all.begin, other.begin), end};
    }
    return all;
  }

  Part sequence(int depth) {
    Part all = nothing();
    while (at_ < text_.size() && !ahead('|') && !ahead(')')) all = then(all, repeated(depth));
    return all;
  }

  Part repeated(int depth) {
    Part part = atom(depth);
    while (ahead('*') || ahead('+') || ahead('?')) {
      const char how = text_[at_++];
      const int end = split();
      const int again = split(part.begin, end);
      close(part, how == '?' ? end : again);
      part = {how == '+' ? part.begin : again, end};
    }
    return part;
  }

  Part atom(int depth) {
    const char character = text_[at_++];
    switch (character) {
      case '.':
        return one({State::Kind::kAny});
      case '^':
        return one({State::Kind::kBegin});
      case '$':
        return one({State::Kind::kEnd});
      case '(':
        return group(depth);
      case '[':
        return bracket();
      case '\\':
        return escaped();
      case '*':
      case '+':
      case '?':
      case '{':
        return fail();
      default:
        return literal(character);
    }
  }

  Part set(std::vector<bool> accepts) { return one({State::Kind::kClass, std::move(accepts)}); }
  Part literal(char character) {
    std::vector<bool> accepts(kCharacters, false);
    accepts[static_cast<unsigned char>(character)] = true;
    return set(std::move(accepts));
  }

  Part group(int depth) {
    if (depth == kDeepestGroup) return fail();
    if (ahead('?')) {
      if (text_.substr(at_, 2) != "?:") return fail();  // (?!...) and the like
      at_ += 2;
    }
    const Part inside = alternatives(depth + 1);
    if (!ahead(')')) return fail();
    ++at_;
    return inside;
  }

  Part bracket() {
    const std::size_t end = class_end(text_, at_ - 1);
    if (end == std::string_view::npos) return fail();
    const std::string_view inside = text_.substr(at_, end - at_);
    if (inside.find('\\') != std::string_view::npos || inside.starts_with('!')) return fail();
    at_ = end + 1;
    return set(class_of(inside));
  }

  Part escaped() {
    if (at_ == text_.size()) return fail();
    const char character = text_[at_++];
    if (character == 'd') return set(class_of("0-9"));
    if (character == 'w') return set(class_of("a-zA-Z0-9_"));
    if (character == 's') return literal(' ');
    const bool letter = (character >= 'a' && character <= 'z') ||
                        (character >= 'A' && character <= 'Z') ||
                        (character >= '0' && character <= '9');
    return letter ? fail() : literal(character);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
  RegularExpression result_;
};

std::optional<RegularExpression> RegularExpression::parse(std::string_view text) {
  return RegularExpressionParser(text).run();
}

// Adds the state and all that it goes on to without a character.
void RegularExpression::enter(int state, std::size_t at, std::string_view text,
                              std::vector<bool>& in) const {
  std::vector<int> open = {state};
  while (!open.empty()) {
    const int each = open.back();
    open.pop_back();
    if (each < 0 || in[each]) continue;
    in[each] = true;
    const State& what = states_[each];
    if (what.kind == State::Kind::kSplit) {
      open.push_back(what.next);
      open.push_back(what.other);
    } else if ((what.kind == State::Kind::kBegin && at == 0) ||
               (what.kind == State::Kind::kEnd && at == text.size())) {
      open.push_back(what.next);
    }
  }
}

bool RegularExpression::matches_begin(std::string_view text) const {
  std::vector<bool> now(states_.size(), false);
  enter(first_, 0, text, now);
  const auto matched = [&] {
    for (std::size_t each = 0; each < states_.size(); ++each) {
      if (now[each] && states_[each].kind == State::Kind::kMatch) return true;
    }
    return false;
  };
  for (std::size_t at = 0; at < text.size() && !matched(); ++at) {
    std::vector<bool> next(states_.size(), false);
    for (std::size_t each = 0; each < states_.size(); ++each) {
      if (!now[each]) continue;
      const State& state = states_[each];
      const bool takes = state.kind == State::Kind::kAny ||
                         (state.kind == State::Kind::kClass && accepts(state.accepts, text[at]));
      if (takes) enter(state.next, at + 1, text, next);
    }
    now = std::move(next);
  }
  return matched();
}

}  // namespace rehearse
