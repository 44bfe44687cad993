// A JSON object on each line.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "input/csv_table.hpp"

namespace rehearse {

class JsonLine {
 public:
  // Of the line that `lines` stands at. Throws InputError where it is no object.
  explicit JsonLine(const CsvLines& lines);

  const SourceLocation& where() const { return where_; }
  const nlohmann::json& object() const { return object_; }
  // Of a key that must be there. Throws InputError at the line.
  double number(const char* key) const;
  // Integers; empty where there is no such key.
  std::vector<std::int64_t> integers(const char* key) const;

 private:
  SourceLocation where_;
  nlohmann::json object_;
};

}  // namespace rehearse
