// A JSON text whose every key has a place in the file.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.hpp"
#include "input/source_text.hpp"

namespace rehearse {

struct JsonDocument {
  nlohmann::json root;
  // By path, objects only: "text_config.hidden_size". Keys inside arrays have no path.
  std::map<std::string, SourceLocation> keys;
};

// Throws InputError at the first fault: a syntax error, a key that an object has twice.
JsonDocument parse_json(const SourceText& source);

}  // namespace rehearse
