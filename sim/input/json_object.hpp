// One object of a JSON document, with the places of its keys.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "input/json_document.hpp"

namespace rehearse {

class JsonObject {
 public:
  // The object at `path` of the document ({"quantization_config"}, {} is the root); it stands at
  // `where`.
  JsonObject(const JsonDocument& document, const nlohmann::json& value,
             std::vector<std::string> path, SourceLocation where)
      : document_(document), value_(value), path_(std::move(path)), where_(std::move(where)) {}

  const nlohmann::json& value() const { return value_; }
  std::string path() const;  // "quantization_config.kv_cache_scheme"
  const SourceLocation& where() const { return where_; }

  // A null is as good as no key: nullptr.
  const nlohmann::json* find(const std::string& key) const;
  SourceLocation at(const std::string& key) const;  // the object's own where there is no such key
  // The object under the key, which is one; throws InputError.
  JsonObject object(const std::string& key) const;

  [[noreturn]] void refuse(const std::string& key, const std::string& rule) const;

  // Throw InputError for another type.
  bool boolean_or(bool otherwise, const std::string& key) const;
  int integer_or(int otherwise, const std::string& key) const;
  std::string string_or(const std::string& otherwise, const std::string& key) const;

 private:
  std::vector<std::string> path_of(const std::string& key) const;

  const JsonDocument& document_;
  const nlohmann::json& value_;
  std::vector<std::string> path_;
  SourceLocation where_;
};

}  // namespace rehearse
