// The pieces of JSON text that a trace is made of, formatted in place.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/units.hpp"

namespace rehearse {

// `text` as the inside of a JSON string: quotes, backslashes and control characters escaped; each
// byte that is not part of valid UTF-8 replaced by U+FFFD (a trace with one bad byte is refused as
// a whole by the readers).
std::string escape_json(std::string_view text);

// The nearest whole number, halves away from zero, as std::llround, which is a call of the library.
// REQUIRES: 0 <= value < 2^63. Exact: below 2^52 the difference is, and from there on it is 0.
inline std::int64_t round_positive(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  return whole + (value - static_cast<double>(whole) >= 0.5 ? 1 : 0);
}

// The end of time where there are more than an integer holds (--trace-window's open end).
// REQUIRES: time >= 0, as for round_positive.
inline std::int64_t to_nanoseconds(Seconds time) {
  const double nanoseconds = time.value * 1e9;
  return nanoseconds < 9e18 ? round_positive(nanoseconds)
                            : std::numeric_limits<std::int64_t>::max();
}

// Both append functions need room at `at` (20 and 24 bytes) and return the end of what they wrote.
inline char* append_integer(char* at, std::int64_t value) {
  return std::to_chars(at, at + 20, value).ptr;
}

// Microseconds with the nanoseconds as three decimals: 1234567 -> "1234.567".
// REQUIRES: nanoseconds >= 0.
inline char* append_microseconds(char* at, std::int64_t nanoseconds) {
  at = append_integer(at, nanoseconds / 1000);
  const auto rest = static_cast<int>(nanoseconds % 1000);
  at[0] = '.';
  at[1] = static_cast<char>('0' + rest / 100);
  at[2] = static_cast<char>('0' + rest / 10 % 10);
  at[3] = static_cast<char>('0' + rest % 10);
  return at + 4;
}

inline char* append_text(char* at, std::string_view text) {
  return std::copy(text.begin(), text.end(), at);
}

}  // namespace rehearse
