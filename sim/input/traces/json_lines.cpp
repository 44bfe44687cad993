#include "input/traces/json_lines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"

namespace rehearse {

JsonLine::JsonLine(const CsvLines& lines) : where_(lines.where()) {
  try {
    object_ = nlohmann::json::parse(lines.line());
  } catch (const nlohmann::json::parse_error& error) {
    SourceLocation at = where_;
    at.column = static_cast<int>(std::max<std::size_t>(error.byte, 1));
    throw InputError(at, "no JSON: expected an object on each line");
  }
  if (!object_.is_object()) throw InputError(where_, "expected a JSON object on each line");
}

double JsonLine::number(const char* key) const {
  const auto found = object_.find(key);
  if (found == object_.end()) throw InputError(where_, fmt::format("{} is missing", key));
  if (found->is_number()) return found->get<double>();
  const std::string shown = found->is_primitive() ? " = " + shortened(found->dump()) : "";
  throw InputError(where_, fmt::format("{}{}: expected a number", key, shown));
}

std::vector<std::int64_t> JsonLine::integers(const char* key) const {
  const auto found = object_.find(key);
  if (found == object_.end() || found->is_null()) return {};
  std::vector<std::int64_t> all;
  const auto refuse = [&] {
    throw InputError(where_, fmt::format("{}: expected a list of integers", key));
  };
  if (!found->is_array()) refuse();
  all.reserve(found->size());
  for (const nlohmann::json& each : *found) {
    if (!each.is_number_integer()) refuse();
    all.push_back(each.get<std::int64_t>());
  }
  return all;
}

}  // namespace rehearse
