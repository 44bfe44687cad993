#include "input/input.hpp"
#include "input/json_document.hpp"
#include "input/source_text.hpp"

namespace rehearse {

std::optional<std::string> parse_result(const SourceText& source) {
  if (!is_json(source)) return std::nullopt;
  const JsonDocument document = parse_json(source);
  if (!document.root.is_object() || !document.root.contains("makespan_s") ||
      !document.root["makespan_s"].is_number()) {
    throw InputError(source.at(0), "this is no result.json: it has no number makespan_s");
  }
  return document.root.dump();
}

std::optional<std::string> read_result(const std::string& path) {
  return parse_result(read_source(path, "a result.json or a plan"));
}

}  // namespace rehearse
