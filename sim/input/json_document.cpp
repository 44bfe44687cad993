// nlohmann's parser gives no places. It is fed through an iterator that shows how far it has read:
// when it reports a key, that is the key's closing quote. So there is one reader of the text, and
// keys are compared as they are meant, not as they are escaped.
#include "input/json_document.hpp"

#include <fmt/format.h>

#include <iterator>
#include <set>

namespace rehearse {
namespace {

using nlohmann::json;

// The documents that are read here nest 5 deep.
constexpr std::size_t kDeepest = 64;

// Forward over the text; `*front` is the offset behind the last character taken.
class Feed {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Feed(const char* begin, std::size_t at, std::size_t* front)
      : begin_(begin), at_(at), front_(front) {}
  reference operator*() const { return begin_[at_]; }
  Feed& operator++() {
    *front_ = ++at_;
    return *this;
  }
  Feed operator++(int) {
    const Feed before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Feed& other) const { return at_ == other.at_; }
  bool operator!=(const Feed& other) const { return at_ != other.at_; }

 private:
  const char* begin_;
  std::size_t at_;
  std::size_t* front_;
};

// The text with Python's words as numbers of the same length, so that every place stays.
std::string with_numbers(std::string text) {
  constexpr struct {
    std::string_view word, number;
  } kWords[] = {{"Infinity", "1e308   "}, {"NaN", "0.5"}};
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') quoted = !quoted;
    if (quoted && text[at] == '\\') ++at;
    if (quoted) continue;
    for (const auto& each : kWords) {
      if (text.compare(at, each.word.size(), each.word) != 0) continue;
      text.replace(at, each.word.size(), each.number);
    }
  }
  return text;
}

// "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while ..."
// without its number and its place, which the error has anyway.
std::string reason_of(const json::parse_error& error) {
  const std::string text = error.what();
  const auto place = text.find("column ");
  const auto colon = text.find(": ", place == std::string::npos ? 0 : place);
  return colon == std::string::npos ? text : text.substr(colon + 2);
}

}  // namespace

// Follows the parser from one value to the next.
class KeyPlaces {
 public:
  explicit KeyPlaces(const SourceText& source) : source_(source) {}

  std::size_t* front() { return &front_; }
  JsonKeys keys() { return std::move(keys_); }

  void see(json::parse_event_t event, const json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start:
        return open(true);
      case json::parse_event_t::array_start:
        return open(false);
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        return open_.pop_back();
      case json::parse_event_t::key:
        return add(parsed.get_ref<const std::string&>());
      case json::parse_event_t::value:
        return;
    }
  }

 private:
  struct Container {
    int object = -1;  // its number; -1: an array, or in one
    JsonKeys::Key* key = nullptr;
    std::set<std::string> names = {};  // where it has no number
  };

  void open(bool is_object) {
    if (open_.size() == kDeepest) {
      throw InputError(source_.at(front_ - 1),
                       fmt::format("values are nested more than {} deep", kDeepest));
    }
    const bool in_array = !open_.empty() && open_.back().object < 0;
    Container opened;
    if (is_object && !in_array) {
      opened.object = objects_++;
      if (!open_.empty()) open_.back().key->object = opened.object;
    }
    open_.push_back(std::move(opened));
  }

  void add(const std::string& name) {
    Container& container = open_.back();
    bool is_new = false;
    if (container.object < 0) {
      is_new = container.names.insert(name).second;
    } else {
      const auto [at, fresh] =
          keys_.keys_.try_emplace({container.object, name}, JsonKeys::Key{source_.at(quote()), -1});
      container.key = &at->second;
      is_new = fresh;
    }
    if (!is_new) throw InputError(source_.at(quote()), fmt::format("{} is given twice", name));
  }

  // Where the string begins that the parser has just read: at the last quote before its end that
  // has no backslash before it or an even number of them.
  std::size_t quote() const {
    SIM_CHECK(front_ >= 2 && source_.text[front_ - 1] == '"', "a key does not end with its quote");
    for (std::size_t at = source_.text.rfind('"', front_ - 2);;
         at = source_.text.rfind('"', at - 1)) {
      const std::size_t before = source_.text.find_last_not_of('\\', at - 1);
      if ((at - 1 - before) % 2 == 0) return at;
    }
  }

  const SourceText& source_;
  std::size_t front_ = 0;
  int objects_ = 0;
  std::vector<Container> open_;
  JsonKeys keys_;
};

std::optional<SourceLocation> JsonKeys::find(const std::vector<std::string>& path) const {
  std::optional<SourceLocation> where;
  int object = 0;
  for (const std::string& name : path) {
    const auto key = keys_.find({object, name});
    if (key == keys_.end()) return std::nullopt;
    where = key->second.where;
    object = key->second.object;
  }
  return where;
}

SourceLocation JsonKeys::at(const std::vector<std::string>& path) const {
  const auto where = find(path);
  SIM_CHECK(where.has_value(), fmt::format("a JSON text has no key {}", path.back()));
  return *where;
}

JsonDocument parse_json(const SourceText& given, JsonNumbers numbers) {
  const bool as_python = numbers == JsonNumbers::kAsPythonWrites;
  const SourceText written =
      as_python ? SourceText(given.path, with_numbers(given.text)) : SourceText("", "");
  const SourceText& source = as_python ? written : given;
  KeyPlaces places(source);
  const char* const text = source.text.data();
  try {
    JsonDocument document;
    document.root =
        json::parse(Feed(text, 0, places.front()), Feed(text, source.text.size(), places.front()),
                    [&](int, json::parse_event_t event, json& parsed) {
                      places.see(event, parsed);
                      return true;
                    });
    document.keys = places.keys();
    return document;
  } catch (const json::parse_error& error) {
    // `byte` counts from 1 and is the last byte that was read.
    throw InputError(source.at(error.byte == 0 ? 0 : error.byte - 1), reason_of(error));
  } catch (const json::out_of_range& error) {
    // "... number overflow parsing '1e999'" comes without a place; it has just been read.
    const std::string message = error.what();
    const std::string number =
        message.substr(0, message.rfind('\'')).substr(message.find('\'') + 1);
    throw InputError(source.at(source.text.rfind(number, *places.front())),
                     fmt::format("the number {} is out of range", number));
  }
}

}  // namespace rehearse
