#include "input/field_checks.hpp"

#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/utf8.hpp"

namespace rehearse {

Seconds parse_long_time(const std::string& text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {{"min", 60}, {"h", 3600}};
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  for (const auto& [name, seconds] : kUnits) {
    if (failure != std::errc{} || unit != name) continue;
    if (std::isfinite(number) && number >= 0) return Seconds{number * seconds};
  }
  return parse_seconds(text);
}

void refuse_field(const FieldLocations& where, const std::string& field, const std::string& rule) {
  throw InputError(where.at(field), fmt::format("{}{}", field, rule));
}

double above_zero(double value, const std::string& field, const FieldLocations& where) {
  if (value > 0 && std::isfinite(value)) return value;
  refuse_field(where, field, fmt::format(" = {}: must be greater than zero", value));
}

Seconds time_of(const std::string& text, const std::string& field, const FieldLocations& where) {
  try {
    return parse_long_time(text);
  } catch (const std::invalid_argument& error) {
    refuse_field(where, field, fmt::format(" = {}", error.what()));
  }
}

Seconds seconds_of(const std::string& text, const std::string& field, const FieldLocations& where) {
  const Seconds time = time_of(text, field, where);
  if (time <= kLongestServed) return time;
  refuse_field(
      where, field,
      fmt::format(" = \"{}\": must be at most {}s", shortened(text), kLongestServed.value));
}

}  // namespace rehearse
