// What the readers of a plan's fields refuse in the same words.
#pragma once

#include <fmt/format.h>

#include <string>

#include "base/error.hpp"
#include "base/units.hpp"

namespace rehearse {

// The longest that a time of `serve` may be: its dates are 64-bit picoseconds, which hold 106 days.
constexpr Seconds kLongestServed{1e6};

// "10min", "2h", or what parse_seconds reads. Throws std::invalid_argument as that does.
Seconds parse_long_time(const std::string& text);

// "FIELD" + rule, at the field.
[[noreturn]] void refuse_field(const FieldLocations& where, const std::string& field,
                               const std::string& rule);

template <class Number>
void check_between(double least, Number value, double most, bool without_least,
                   const std::string& field, const FieldLocations& where) {
  const double number = value;
  if (number <= most && (without_least ? number > least : number >= least)) return;
  refuse_field(where, field,
               fmt::format(" = {}: must be {} {}, at most {}", value,
                           without_least ? "above" : "at least", least, most));
}

double above_zero(double value, const std::string& field, const FieldLocations& where);

// "10ms", "10min", "2h": the units of parse_seconds, and min and h.
Seconds time_of(const std::string& text, const std::string& field, const FieldLocations& where);
// The same, at most kLongestServed.
Seconds seconds_of(const std::string& text, const std::string& field, const FieldLocations& where);

}  // namespace rehearse
