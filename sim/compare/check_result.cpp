#include "compare/check_result.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "claims/expression.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

const char* name_of(const json& value) {
  if (value.is_number()) return "number";
  if (value.is_boolean()) return "truth value";
  if (value.is_string()) return "text";
  if (value.is_array()) return "list";
  return value.is_object() ? "group" : "null";
}

std::optional<ResultFault> fault_at(const json& found, const json& known, const std::string& path,
                                    const std::string& name);

std::optional<ResultFault> fault_of_fields(const json& found, const json& known,
                                           const std::string& path) {
  for (const auto& [name, value] : found.items()) {
    const auto field = known.find(name);
    if (field == known.end()) continue;
    const std::string inner = path.empty() ? name : fmt::format("{}.{}", path, name);
    if (auto fault = fault_at(value, *field, inner, name)) return fault;
  }
  return std::nullopt;
}

// Elements with a name stand for themselves: one that is there twice would hide the first.
std::optional<ResultFault> fault_of_elements(const json& found, const json& known,
                                             const std::string& path, const std::string& name) {
  std::set<std::string> names;
  for (std::size_t at = 0; at < found.size(); ++at) {
    const std::string inner = fmt::format("{}[{}]", path, at);
    if (auto fault = fault_at(found[at], known.front(), inner, name)) return fault;
    if (!found[at].is_object()) continue;
    for (const auto& [field, value] : found[at].items()) {
      if (!value.is_string()) continue;
      if (names.insert(value.get<std::string>()).second) break;
      return ResultFault{path, fmt::format("{} has \"{}\" twice", path, value.get<std::string>())};
    }
  }
  return std::nullopt;
}

std::optional<ResultFault> fault_at(const json& found, const json& known, const std::string& path,
                                    const std::string& name) {
  const std::string expected = name_of(known);
  if (name_of(found) != expected) {
    return ResultFault{path,
                       fmt::format("{} is a {}: expected a {}", path, name_of(found), expected)};
  }
  if (found.is_object()) return fault_of_fields(found, known, path);
  if (found.is_array()) return fault_of_elements(found, known, path, name);
  if (!found.is_number()) return std::nullopt;
  const double number = found.get<double>();
  if (!std::isfinite(number)) return ResultFault{path, path + " is no finite number"};
  PathStep step;
  step.name = name;
  const bool of_some_figure = path.starts_with("seeds.");
  if (number < 0 && !of_some_figure && !can_be_negative({step})) {
    return ResultFault{path, fmt::format("{} = {:g}: it cannot be negative", path, number)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<ResultFault> fault_of(const json& result, const json& skeleton) {
  return fault_at(result, skeleton, "", "");
}

}  // namespace rehearse
