#include "cluster_xml/xml_element.hpp"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/files.hpp"
#include "base/utf8.hpp"

namespace rehearse {
namespace {

// Expat hands over one tag at a time; the open elements form a stack until their end tags close
// them.
struct Reading {
  std::string path;
  XML_Parser parser = nullptr;
  std::vector<Element> open;
  std::size_t elements = 0;
  std::optional<InputError> refusal;
  XmlFile file;
};

constexpr std::size_t kDeepest = 64;           // SimGrid's own examples nest 5 deep
constexpr std::size_t kMostElements = 500000;  // 50,000 GPUs, each with all of its properties

SourceLocation here(const Reading& reading) {
  return {reading.path, static_cast<int>(XML_GetCurrentLineNumber(reading.parser)),
          static_cast<int>(XML_GetCurrentColumnNumber(reading.parser)) + 1};
}

// Expat hands over no more.
void refuse(Reading& reading, const std::string& rule) {
  reading.refusal.emplace(here(reading), rule);
  XML_StopParser(reading.parser, XML_FALSE);
}

void start_element(void* user, const XML_Char* name, const XML_Char** attributes) {
  Reading& reading = *static_cast<Reading*>(user);
  if (reading.refusal) return;
  if (reading.open.size() == kDeepest) {
    return refuse(reading, fmt::format("elements are nested more than {} deep", kDeepest));
  }
  if (++reading.elements > kMostElements) {
    return refuse(reading, fmt::format("the file has more than {} elements", kMostElements));
  }
  Element element;
  element.name = name;
  element.where = here(reading);
  for (; *attributes != nullptr; attributes += 2) {
    element.attributes.emplace_back(attributes[0], attributes[1]);
  }
  reading.open.push_back(std::move(element));
}

void end_element(void* user, const XML_Char*) {
  Reading& reading = *static_cast<Reading*>(user);
  if (reading.refusal) return;
  Element closed = std::move(reading.open.back());
  reading.open.pop_back();
  if (reading.open.empty()) {
    reading.file.root = std::move(closed);
  } else {
    reading.open.back().children.push_back(std::move(closed));
  }
}

[[noreturn]] void refuse_byte(const std::string& text, std::size_t at, const std::string& path) {
  const std::size_t line = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;  // npos + 1 is 0
  throw InputError({path, static_cast<int>(std::count(text.begin(), text.begin() + at, '\n')) + 1,
                    static_cast<int>(at - line) + 1},
                   fmt::format("{}: expected a platform", describe_unreadable(text[at])));
}

void start_doctype(void* user, const XML_Char*, const XML_Char* system_id, const XML_Char*, int) {
  if (system_id != nullptr) static_cast<Reading*>(user)->file.document_type = system_id;
}

}  // namespace

const std::string* Element::attribute(const std::string& key) const {
  for (const auto& [name_of, value] : attributes) {
    if (name_of == key) return &value;
  }
  return nullptr;
}

const std::string& Element::required(const std::string& key) const {
  const std::string* value = attribute(key);
  SIM_CHECK(value != nullptr, fmt::format("<{}> without {} passed the grammar", name, key));
  return *value;
}

const Element* Element::property(const std::string& id) const {
  for (const Element& child : children) {
    if (child.name == "prop" && child.required("id") == id) return &child;
  }
  return nullptr;
}

std::string describe(const Element& element) {
  if (const std::string* id = element.attribute("id")) {
    return fmt::format("{} \"{}\"", element.name, *id);
  }
  const std::string* from = element.attribute("src");
  const std::string* to = element.attribute("dst");
  if (from != nullptr && to != nullptr) {
    return fmt::format("{} \"{}\" -> \"{}\"", element.name, *from, *to);
  }
  return fmt::format("<{}>", element.name);
}

XmlFile read_xml(const std::string& path) { return parse_xml(read_file(path, "a platform"), path); }

XmlFile parse_xml(const std::string& text, const std::string& path) {
  if (const auto bad = first_unreadable_byte(text)) refuse_byte(text, *bad, path);
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
      XML_ParserCreate(nullptr), &XML_ParserFree);
  SIM_CHECK(parser != nullptr, "expat has no memory for a parser");
  Reading reading;
  reading.path = path;
  reading.parser = parser.get();
  XML_SetUserData(parser.get(), &reading);
  XML_SetElementHandler(parser.get(), start_element, end_element);
  XML_SetStartDoctypeDeclHandler(parser.get(), start_doctype);
  constexpr std::size_t kPiece = 1 << 20;  // expat takes an int
  for (std::size_t at = 0; at <= text.size(); at += kPiece) {
    const std::size_t size = std::min(kPiece, text.size() - at);
    const bool last = at + kPiece > text.size();
    if (XML_Parse(parser.get(), text.data() + at, static_cast<int>(size), last) == XML_STATUS_OK) {
      continue;
    }
    if (reading.refusal) throw InputError(*reading.refusal);
    throw InputError(here(reading), fmt::format("malformed XML: {}",
                                                XML_ErrorString(XML_GetErrorCode(parser.get()))));
  }
  return std::move(reading.file);
}

}  // namespace rehearse
