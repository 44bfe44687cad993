#include "input/field_checks.hpp"

#include <cmath>
#include <stdexcept>

#include "base/utf8.hpp"

namespace rehearse {

void refuse_field(const FieldLocations& where, const std::string& field, const std::string& rule) {
  throw InputError(where.at(field), fmt::format("{}{}", field, rule));
}

double above_zero(double value, const std::string& field, const FieldLocations& where) {
  if (value > 0 && std::isfinite(value)) return value;
  refuse_field(where, field, fmt::format(" = {}: must be greater than zero", value));
}

Seconds seconds_of(const std::string& text, const std::string& field, const FieldLocations& where) {
  Seconds time;
  try {
    time = parse_seconds(text);
  } catch (const std::invalid_argument& error) {
    refuse_field(where, field, fmt::format(" = {}", error.what()));
  }
  if (time <= kLongestServed) return time;
  refuse_field(
      where, field,
      fmt::format(" = \"{}\": must be at most {}s", shortened(text), kLongestServed.value));
}

}  // namespace rehearse
