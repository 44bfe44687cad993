// A JSON text whose every key has a place in the file.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "input/source_text.hpp"

namespace rehearse {

// Where the keys of a JSON text stand; of objects inside of objects, not inside of arrays.
class JsonKeys {
 public:
  // `path`: names from the root down, {"text_config", "hidden_size"}.
  std::optional<SourceLocation> find(const std::vector<std::string>& path) const;
  // REQUIRES the key to be there.
  SourceLocation at(const std::vector<std::string>& path) const;

 private:
  friend class KeyPlaces;
  struct Key {
    SourceLocation where;
    int object = -1;  // number of its value, where that is an object
  };
  // By the object's number and the name; the root is object 0. Paths as texts would repeat every
  // name above.
  std::map<std::pair<int, std::string>, Key> keys_;
};

struct JsonDocument {
  nlohmann::json root;
  JsonKeys keys;
};

// Python's writer has Infinity, -Infinity and NaN for numbers, which JSON has not: read as 1e308,
// -1e308 and 0.5, which is no integer.
enum class JsonNumbers { kOfJson, kAsPythonWrites };

// Throws InputError at the first fault: a syntax error, a key that an object has twice, values
// nested too deep.
JsonDocument parse_json(const SourceText& source, JsonNumbers numbers = JsonNumbers::kOfJson);

}  // namespace rehearse
