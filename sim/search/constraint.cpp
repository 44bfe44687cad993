#include "search/constraint.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <stdexcept>

#include "base/units.hpp"

namespace rehearse {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// In the quantity's unit. Throws std::invalid_argument.
double with_unit(const std::string& number, double value, const std::string& unit,
                 const SearchQuantity& quantity) {
  const std::string own = quantity.unit;
  if (unit.empty() || unit == own) return value;
  if (own == "s") return parse_seconds(number + unit).value;
  if (own == "bytes") return parse_bytes(number + unit).value;
  const bool share = quantity.name != std::string("gpus") && (own.empty() || own == "of capacity");
  if (share && unit == "%") return value / 100;
  throw std::invalid_argument(fmt::format("\"{}\": the unit of {} must be {}", number + unit,
                                          quantity.name,
                                          share         ? "none or %"
                                          : own.empty() ? "none"
                                                        : "none or " + own));
}

Constraint read_constraint(const std::string& text, const SourceLocation& where) {
  const std::size_t at = text.find_first_of("<>");
  const bool complete = at != std::string::npos && at + 1 < text.size() && text[at + 1] == '=';
  Constraint constraint;
  constraint.text = text;
  const std::string limit = complete ? trimmed(text.substr(at + 2)) : "";
  double value = 0;
  const auto [rest, failure] = std::from_chars(limit.data(), limit.data() + limit.size(), value);
  if (!complete || failure != std::errc{} || !std::isfinite(value)) {
    throw InputError(where, fmt::format("\"{}\": must be QUANTITY <= NUMBER or QUANTITY >= NUMBER, "
                                        "as ttft_s.p99 <= 6 or ttft_s.p99 <= 900ms",
                                        text));
  }
  constraint.at_most = text[at] == '<';
  constraint.quantity = quantity_named(trimmed(text.substr(0, at)), where);
  const std::size_t digits = static_cast<std::size_t>(rest - limit.data());
  try {
    constraint.limit = with_unit(limit.substr(0, digits), value, trimmed(limit.substr(digits)),
                                 search_quantities()[constraint.quantity]);
  } catch (const std::invalid_argument& error) {
    throw InputError(where, error.what());
  }
  return constraint;
}

}  // namespace

std::vector<Constraint> read_constraints(const SpaceField& field) {
  std::vector<Constraint> all;
  for (const std::string& text : field.values) {
    const Constraint next = read_constraint(text, field.where);
    for (const Constraint& earlier : all) {
      if (earlier.quantity == next.quantity && earlier.at_most == next.at_most) {
        throw InputError(field.where,
                         fmt::format("\"{}\" and \"{}\" limit the same from the same side: give "
                                     "the tighter one",
                                     earlier.text, next.text));
      }
      const bool opposed = earlier.quantity == next.quantity && earlier.at_most != next.at_most;
      if (opposed && (next.at_most ? next.limit < earlier.limit : next.limit > earlier.limit)) {
        throw InputError(field.where, fmt::format("\"{}\" contradicts \"{}\": no value keeps both",
                                                  next.text, earlier.text));
      }
    }
    all.push_back(next);
  }
  return all;
}

}  // namespace rehearse
