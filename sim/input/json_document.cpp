#include "input/json_document.hpp"

#include <fmt/format.h>

#include <vector>

namespace rehearse {
namespace {

// The parser gives no places, so the keys of a text that is known to be valid JSON are found by a
// scan: a string directly inside an object, where a key is due.
class KeyScan {
 public:
  explicit KeyScan(const SourceText& source) : source_(source) {}

  std::map<std::string, SourceLocation> run() {
    for (std::size_t at = 0; at < source_.text.size(); ++at) {
      switch (source_.text[at]) {
        case '{':
          open_.push_back({true, true, child_path()});
          break;
        case '[':
          open_.push_back({false, false, child_path()});
          break;
        case '}':
        case ']':
          open_.pop_back();
          break;
        case ',':
          open_.back().key_due = open_.back().object;
          break;
        case '"':
          at = read_string(at);
          break;
        default:
          break;
      }
    }
    return std::move(keys_);
  }

 private:
  struct Container {
    bool object;
    bool key_due;
    std::string path;   // ends with "." unless it is the root's; of an array: ends with "[]"
    std::string key{};  // the key read last
  };

  std::string child_path() const {
    if (open_.empty()) return {};
    return open_.back().object ? open_.back().path + open_.back().key + "."
                               : open_.back().path + "[].";
  }

  // Returns the offset of the closing quote.
  std::size_t read_string(std::size_t quote) {
    std::size_t end = quote + 1;
    while (source_.text[end] != '"') end += source_.text[end] == '\\' ? 2 : 1;
    if (open_.empty() || !open_.back().key_due) return end;
    Container& object = open_.back();
    object.key_due = false;
    object.key = source_.text.substr(quote + 1, end - quote - 1);
    const bool in_array = object.path.find("[]") != std::string::npos;
    const std::string path = object.path + object.key;
    if (!in_array && !keys_.emplace(path, source_.at(quote)).second) {
      throw InputError(source_.at(quote), fmt::format("{} is given twice", path));
    }
    return end;
  }

  const SourceText& source_;
  std::vector<Container> open_;
  std::map<std::string, SourceLocation> keys_;
};

// "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while ..."
// without its number and its place, which the error has anyway.
std::string reason_of(const nlohmann::json::parse_error& error) {
  const std::string text = error.what();
  const auto place = text.find("column ");
  const auto colon = text.find(": ", place == std::string::npos ? 0 : place);
  return colon == std::string::npos ? text : text.substr(colon + 2);
}

}  // namespace

JsonDocument parse_json(const SourceText& source) {
  try {
    JsonDocument json{nlohmann::json::parse(source.text), {}};
    json.keys = KeyScan(source).run();
    return json;
  } catch (const nlohmann::json::parse_error& error) {
    // `byte` counts from 1 and is the last byte that was read.
    throw InputError(source.at(error.byte == 0 ? 0 : error.byte - 1), reason_of(error));
  } catch (const nlohmann::json::out_of_range& error) {
    // "... number overflow parsing '1e999'" comes without a place.
    const std::string text = error.what();
    const std::string number = text.substr(0, text.rfind('\'')).substr(text.find('\'') + 1);
    throw InputError(source.at(source.text.find(number)),
                     fmt::format("the number {} is out of range", number));
  }
}

}  // namespace rehearse
