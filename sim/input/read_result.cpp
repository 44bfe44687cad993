#include <filesystem>

#include "input/input.hpp"
#include "input/json_document.hpp"
#include "input/source_text.hpp"

namespace rehearse {

std::optional<std::string> read_result(const std::string& path) {
  const SourceText source = read_source(path, "a result.json or a plan");
  // read_source leaves no empty text.
  const bool is_json = std::filesystem::path(path).extension() == ".json" ||
                       source.text[source.text.find_first_not_of(" \t\r\n")] == '{';
  if (!is_json) return std::nullopt;
  const JsonDocument document = parse_json(source);
  if (!document.root.is_object() || !document.root.contains("makespan_s") ||
      !document.root["makespan_s"].is_number()) {
    throw InputError(source.at(0), "this is no result.json: it has no number makespan_s");
  }
  return document.root.dump();
}

}  // namespace rehearse
