#include "claims/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/units.hpp"

namespace rehearse {
namespace {

// A text may nest this deep: the parser calls itself.
constexpr int kDeepest = 50;
// A sum of n terms is a tree n deep, which its readers walk by calling themselves.
constexpr int kMostOperations = 1000;

bool is_name_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

class Parser {
 public:
  Parser(const std::string& text, const SourceLocation& where) : text_(text) {
    result_.text = text;
    result_.where = where;
  }

  Comparison run() {
    result_.left = sum();
    comparison_sign();
    result_.right = sum();
    if (result_.kind == Comparison::Kind::kBetween) {
      if (!take_word("and")) fail("expected \"and\" and the upper end of \"between\"");
      result_.upper = sum();
    }
    if (take_word("within")) result_.within = sum();
    skip_space();
    if (at_ < text_.size()) fail("expected the end, \"within\", or an operator + - * /");
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const std::string& rule) const { fail_at(at_, rule); }
  [[noreturn]] void fail_at(std::size_t at, const std::string& rule) const {
    const std::string seen =
        at < text_.size() ? fmt::format("\"{}\"", text_.substr(at, 12)) : "the end";
    throw InputError(result_.place(static_cast<int>(at)), fmt::format("at {}: {}", seen, rule));
  }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  bool take(std::string_view token) {
    skip_space();
    if (!std::string_view(text_).substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  bool take_word(std::string_view word) {
    skip_space();
    const std::size_t end = at_ + word.size();
    if (!std::string_view(text_).substr(at_).starts_with(word)) return false;
    if (end < text_.size() && is_name_char(text_[end])) return false;
    at_ = end;
    return true;
  }

  void comparison_sign() {
    using Kind = Comparison::Kind;
    static constexpr std::pair<std::string_view, Kind> kSigns[] = {
        {"==", Kind::kEqual},   {"!=", Kind::kNotEqual}, {"<=", Kind::kAtMost},
        {">=", Kind::kAtLeast}, {"<", Kind::kLess},      {">", Kind::kMore}};
    skip_space();
    result_.at = static_cast<int>(at_);
    for (const auto& [sign, kind] : kSigns) {
      if (!take(sign)) continue;
      result_.kind = kind;
      return;
    }
    if (!take_word("between")) fail("expected a comparison: == != <= >= < > or between");
    result_.kind = Kind::kBetween;
  }

  Expression node(Expression::Kind kind) const {
    Expression expression;
    expression.kind = kind;
    expression.at = static_cast<int>(at_);
    return expression;
  }

  Expression binary(char operation, Expression left, Expression right) {
    if (++operations_ > kMostOperations) {
      fail(fmt::format("more than {} of the operations + - * /", kMostOperations));
    }
    Expression expression = node(Expression::Kind::kBinary);
    expression.at = left.at;
    expression.operation = operation;
    // Not a list in braces, which would copy all that is below.
    expression.parts.reserve(2);
    expression.parts.push_back(std::move(left));
    expression.parts.push_back(std::move(right));
    return expression;
  }

  Expression sum() {
    Expression left = product();
    for (;;) {
      if (take("+")) {
        left = binary('+', std::move(left), product());
      } else if (take("-")) {
        left = binary('-', std::move(left), product());
      } else {
        return left;
      }
    }
  }

  Expression product() {
    Expression left = unary();
    for (;;) {
      if (take("*")) {
        left = binary('*', std::move(left), unary());
      } else if (take("/")) {
        left = binary('/', std::move(left), unary());
      } else {
        return left;
      }
    }
  }

  Expression unary() {
    skip_space();
    if (++depth_ > kDeepest) fail(fmt::format("nested more than {} deep", kDeepest));
    Expression expression = node(Expression::Kind::kNegate);
    if (take("-")) {
      expression.parts.push_back(unary());
    } else {
      expression = primary();
    }
    --depth_;
    return expression;
  }

  Expression primary() {
    skip_space();
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.') return number();
    if (c == '\'') return quoted();
    if (c == '[') {
      Expression list = node(Expression::Kind::kList);
      ++at_;
      list.parts = arguments(']');
      return list;
    }
    if (c == '(') {
      ++at_;
      Expression inner = sum();
      if (!take(")")) fail("expected \")\"");
      return inner;
    }
    if (is_name_char(c)) return named();
    fail("expected a number, a quantity, a list, or \"(\"");
  }

  std::vector<Expression> arguments(char close) {
    std::vector<Expression> parts;
    parts.push_back(sum());
    while (take(",")) parts.push_back(sum());
    if (!take(std::string_view(&close, 1))) fail(fmt::format("expected \",\" or \"{}\"", close));
    return parts;
  }

  Expression quoted() {
    Expression expression = node(Expression::Kind::kText);
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == std::string::npos) fail("this text has no closing '");
    expression.text = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return expression;
  }

  // A decimal number and its unit: "35GB", "1.8TBps", "60%", "6s", "128".
  Expression number() {
    Expression expression = node(Expression::Kind::kNumber);
    const char* const begin = text_.data() + at_;
    const auto [rest, failure] =
        std::from_chars(begin, text_.data() + text_.size(), expression.number);
    if (failure != std::errc{} || !std::isfinite(expression.number)) fail("expected a number");
    const std::size_t number_end = at_ + static_cast<std::size_t>(rest - begin);
    std::size_t end = number_end;
    while (end < text_.size() && (is_name_char(text_[end]) || text_[end] == '%')) ++end;
    if (end > number_end) apply_unit(expression, text_.substr(at_, end - at_), number_end);
    at_ = end;
    return expression;
  }

  void apply_unit(Expression& expression, const std::string& text, std::size_t unit_at) const {
    if (text.ends_with('%') && text.find('%') == unit_at - at_) {
      expression.number /= 100;
      expression.unit = Unit::kPercent;
      return;
    }
    using Parse = double (*)(const std::string&);
    static constexpr std::pair<Unit, Parse> kUnits[] = {
        {Unit::kBytes, [](const std::string& t) { return parse_bytes(t).value; }},
        {Unit::kSeconds, [](const std::string& t) { return parse_seconds(t).value; }},
        {Unit::kBytesPerSecond, [](const std::string& t) { return parse_bandwidth(t).value; }},
        {Unit::kFlopsPerSecond, [](const std::string& t) { return parse_flops_rate(t).value; }}};
    for (const auto& [unit, parse] : kUnits) {
      try {
        expression.number = parse(text);
        expression.unit = unit;
        return;
      } catch (const std::invalid_argument&) {
        continue;  // not a unit of this kind
      }
    }
    fail_at(unit_at,
            "unknown unit: sizes (GB, GiB), rates (GBps, TFLOPS), times (s, ms, us), or %");
  }

  std::string name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_name_char(text_[at_])) ++at_;
    if (at_ == begin) fail("expected a name");
    return text_.substr(begin, at_ - begin);
  }

  Expression named() {
    Expression expression = node(Expression::Kind::kPath);
    PathStep first;
    first.at = static_cast<int>(at_);
    first.name = name();
    if (first.name == "true" || first.name == "false") {
      expression.kind = Expression::Kind::kTruth;
      expression.truth = first.name == "true";
      return expression;
    }
    if (at_ < text_.size() && text_[at_] == '(') return call(first.name, std::move(expression));
    expression.path = {first};
    while (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == '[')) {
      expression.path.push_back(text_[at_] == '.' ? field_step() : bracket_step());
    }
    return expression;
  }

  Expression call(const std::string& function, Expression expression) {
    static constexpr std::string_view kFunctions[] = {"min",  "max",   "abs",
                                                      "ceil", "floor", "count"};
    bool known = false;
    for (const std::string_view each : kFunctions) known = known || each == function;
    if (!known) {
      fail_at(static_cast<std::size_t>(expression.at),
              fmt::format("unknown function \"{}\": min max abs ceil floor count", function));
    }
    ++at_;
    expression.kind = Expression::Kind::kCall;
    expression.text = function;
    expression.parts = arguments(')');
    const bool many = function == "min" || function == "max";
    if (!many && expression.parts.size() != 1) {
      fail_at(static_cast<std::size_t>(expression.at),
              fmt::format("{} takes one argument, not {}", function, expression.parts.size()));
    }
    return expression;
  }

  PathStep field_step() {
    ++at_;
    PathStep step;
    step.at = static_cast<int>(at_);
    step.name = name();
    return step;
  }

  int index() {
    int value = 0;
    const char* const begin = text_.data() + at_;
    const auto [rest, failure] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (failure != std::errc{} || value < 0) fail("expected an index from 0");
    at_ += static_cast<std::size_t>(rest - begin);
    return value;
  }

  PathStep bracket_step() {
    ++at_;
    PathStep step;
    step.at = static_cast<int>(at_);
    if (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) {
      step.kind = PathStep::Kind::kIndex;
      step.first = step.last = index();
      if (take("..")) {
        step.kind = PathStep::Kind::kRange;
        step.last = index();
        if (step.last < step.first) fail("a range goes upwards");
      }
    } else {
      step.kind = PathStep::Kind::kKey;
      step.name = name();
    }
    if (!take("]")) fail("expected \"]\"");
    return step;
  }

  const std::string& text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int operations_ = 0;
  Comparison result_;
};

void collect(const Expression& expression, std::vector<const Expression*>& found) {
  if (expression.kind == Expression::Kind::kPath) found.push_back(&expression);
  for (const Expression& part : expression.parts) collect(part, found);
}

}  // namespace

Comparison parse_comparison(const std::string& text, const SourceLocation& where) {
  return Parser(text, where).run();
}

std::vector<const Expression*> paths_in(const Comparison& comparison) {
  std::vector<const Expression*> found;
  collect(comparison.left, found);
  collect(comparison.right, found);
  if (comparison.upper) collect(*comparison.upper, found);
  if (comparison.within) collect(*comparison.within, found);
  return found;
}

bool names_quantities(const Expression& expression) {
  return expression.kind == Expression::Kind::kPath ||
         std::any_of(expression.parts.begin(), expression.parts.end(), names_quantities);
}

std::string to_text(const std::vector<PathStep>& path) {
  std::string text;
  for (const PathStep& step : path) {
    switch (step.kind) {
      case PathStep::Kind::kField:
        text += (text.empty() ? "" : ".") + step.name;
        break;
      case PathStep::Kind::kIndex:
        text += fmt::format("[{}]", step.first);
        break;
      case PathStep::Kind::kRange:
        text += fmt::format("[{}..{}]", step.first, step.last);
        break;
      case PathStep::Kind::kKey:
        text += fmt::format("[{}]", step.name);
        break;
    }
  }
  return text;
}

}  // namespace rehearse
