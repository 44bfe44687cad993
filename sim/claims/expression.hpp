// The language of a claim's `expect`: a comparison of two sums over numbers with units, lists and
// quantities. README.md beside this file describes it. Text in, tree out; nothing is evaluated.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace rehearse {

// One step of a quantity's path: "ttft_s", ".max", "[0]", "[0..7]", "[tp]".
struct PathStep {
  enum class Kind { kField, kIndex, kRange, kKey };
  Kind kind = Kind::kField;
  std::string name;  // kField, kKey
  int first = 0;     // kIndex, kRange
  int last = 0;      // kRange, inclusive
  int at = 0;        // offset in the comparison's text
};

// What a number measures, as far as it is known: powers of bytes, seconds, FLOPs, dollars, joules.
struct Unit {
  enum class Kind {
    kAny,      // a number as written, without a unit: it fits each
    kPercent,  // a share as written, "5%"
    kKnown,    // the powers below; all 0: a count or a ratio
    kUnknown   // of another scale, as hours are: nothing is said of it, nor of what it is part of
  };
  Kind kind = Kind::kAny;
  int bytes = 0;
  int seconds = 0;
  int flops = 0;
  int dollars = 0;
  int joules = 0;

  bool operator==(const Unit&) const = default;

  static const Unit kNone;  // any
  static const Unit kPercent;
  static const Unit kUnknown;
  static const Unit kCount;
  static const Unit kBytes;
  static const Unit kSeconds;
  static const Unit kFlops;
  static const Unit kBytesPerSecond;
  static const Unit kFlopsPerSecond;
  static const Unit kPerSecond;
  static const Unit kDollars;
  static const Unit kPerDollar;
  static const Unit kPerJoule;
};
inline constexpr Unit Unit::kNone{};
inline constexpr Unit Unit::kPercent{Kind::kPercent};
inline constexpr Unit Unit::kUnknown{Kind::kUnknown};
inline constexpr Unit Unit::kCount{Kind::kKnown};
inline constexpr Unit Unit::kBytes{Kind::kKnown, 1};
inline constexpr Unit Unit::kSeconds{Kind::kKnown, 0, 1};
inline constexpr Unit Unit::kFlops{Kind::kKnown, 0, 0, 1};
inline constexpr Unit Unit::kBytesPerSecond{Kind::kKnown, 1, -1};
inline constexpr Unit Unit::kFlopsPerSecond{Kind::kKnown, 0, -1, 1};
inline constexpr Unit Unit::kPerSecond{Kind::kKnown, 0, -1};
inline constexpr Unit Unit::kDollars{Kind::kKnown, 0, 0, 0, 1};
inline constexpr Unit Unit::kPerDollar{Kind::kKnown, 0, 0, 0, -1};
inline constexpr Unit Unit::kPerJoule{Kind::kKnown, 0, 0, 0, 0, -1};

struct Expression {
  enum class Kind { kNumber, kTruth, kText, kList, kPath, kCall, kNegate, kBinary };
  Kind kind = Kind::kNumber;
  int at = 0;  // offset in the comparison's text
  double number = 0;
  Unit unit = Unit::kNone;  // of a number; a path's comes from its name
  bool truth = false;
  std::string text;               // kText; kCall: the function
  char operation = 0;             // kBinary: + - * /
  std::vector<PathStep> path;     // kPath
  std::vector<Expression> parts;  // operands, arguments, elements
};

struct Comparison {
  enum class Kind { kEqual, kNotEqual, kLess, kAtMost, kMore, kAtLeast, kBetween };
  std::string text;
  SourceLocation where;  // of the text's first character
  Kind kind = Kind::kEqual;
  Expression left;
  Expression right;                  // kBetween: the lower end
  std::optional<Expression> upper;   // kBetween
  std::optional<Expression> within;  // tolerance; with unit kPercent, relative to the right side
  int at = 0;                        // offset of the comparison sign

  SourceLocation place(int offset) const { return {where.file, where.line, where.column + offset}; }
};

// Throws InputError at the first character that does not fit.
Comparison parse_comparison(const std::string& text, const SourceLocation& where);

// Every quantity that it names, from left to right.
std::vector<const Expression*> paths_in(const Comparison& comparison);

bool names_quantities(const Expression& expression);

// "communication.by_axis[tp].busy_s"
std::string to_text(const std::vector<PathStep>& path);

// Throws InputError where known units meet that cannot: "6GB <= ttft_s.max".
void check_units(const Comparison& comparison);

// By the name of the field, which is a number's: "busy_s" is in seconds.
Unit unit_of_path(const std::vector<PathStep>& path);

std::string text_of(const Unit& unit);  // "bytes", "s", "1/s"

// All but a few quantities are amounts, shares or times that cannot be below 0.
bool can_be_negative(const std::vector<PathStep>& path);

// Of the value of an expression; kNone where nothing says.
Unit unit_of(const Expression& expression);

}  // namespace rehearse
