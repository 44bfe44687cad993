#include "input/json_object.hpp"

#include <fmt/format.h>

namespace rehearse {

using nlohmann::json;

const json* JsonObject::find(const std::string& key) const {
  const auto found = value_.find(key);
  return found == value_.end() || found->is_null() ? nullptr : &*found;
}

std::string JsonObject::path() const {
  std::string text;
  for (const std::string& name : path_) text += (text.empty() ? "" : ".") + name;
  return text;
}

std::vector<std::string> JsonObject::path_of(const std::string& key) const {
  std::vector<std::string> path = path_;
  path.push_back(key);
  return path;
}

SourceLocation JsonObject::at(const std::string& key) const {
  return document_.keys.find(path_of(key)).value_or(where_);
}

JsonObject JsonObject::object(const std::string& key) const {
  const json* inside = find(key);
  if (inside == nullptr || !inside->is_object()) refuse(key, "expected an object");
  return {document_, *inside, path_of(key), at(key)};
}

void JsonObject::refuse(const std::string& key, const std::string& rule) const {
  const json* inside = find(key);
  const std::string shown = inside == nullptr        ? " is missing"
                            : inside->is_primitive() ? fmt::format(" = {}", inside->dump())
                                                     : "";
  throw InputError(at(key),
                   fmt::format("{}{}{}{}: {}", path(), path_.empty() ? "" : ".", key, shown, rule));
}

bool JsonObject::boolean_or(bool otherwise, const std::string& key) const {
  const json* inside = find(key);
  if (inside == nullptr) return otherwise;
  if (!inside->is_boolean()) refuse(key, "expected true or false");
  return inside->get<bool>();
}

int JsonObject::integer_or(int otherwise, const std::string& key) const {
  const json* inside = find(key);
  if (inside == nullptr) return otherwise;
  constexpr int kLargest = 1 << 20;
  if (!inside->is_number_integer() || *inside < -kLargest || *inside > kLargest) {
    refuse(key, fmt::format("expected an integer from {} to {}", -kLargest, kLargest));
  }
  return inside->get<int>();
}

std::string JsonObject::string_or(const std::string& otherwise, const std::string& key) const {
  const json* inside = find(key);
  if (inside == nullptr) return otherwise;
  if (!inside->is_string()) refuse(key, "expected a string");
  return inside->get<std::string>();
}

}  // namespace rehearse
