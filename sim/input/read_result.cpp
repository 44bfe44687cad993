#include <algorithm>
#include <string_view>
#include <vector>

#include "compare/check_result.hpp"
#include "input/input.hpp"
#include "input/json_document.hpp"
#include "input/source_text.hpp"

namespace rehearse {

namespace {

// The keys of "ttft_s.max". Inside of lists they have no places: then that of the list.
SourceLocation place_of(std::string_view path, const JsonDocument& document,
                        const SourceText& source) {
  path = path.substr(0, path.find('['));
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    names.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return document.keys.find(names).value_or(source.at(0));
}

}  // namespace

std::optional<std::string> parse_result(const SourceText& source, const nlohmann::json& skeleton) {
  if (!is_json(source)) return std::nullopt;
  const JsonDocument document = parse_json(source);
  if (!document.root.is_object() || !document.root.contains("makespan_s")) {
    throw InputError(source.at(0), "this is no result.json: it has no number makespan_s");
  }
  if (const auto fault = fault_of(document.root, skeleton)) {
    throw InputError(place_of(fault->path, document, source), fault->message);
  }
  return document.root.dump();
}

std::optional<std::string> read_result(const std::string& path, const nlohmann::json& skeleton) {
  return parse_result(read_source(path, "a result.json or a plan"), skeleton);
}

}  // namespace rehearse
