#include "platform/xml_element.hpp"

#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace rehearse {
namespace {

// Expat hands over one tag at a time; the open elements form a stack until their end tags close
// them.
struct Reading {
  std::string path;
  XML_Parser parser = nullptr;
  std::vector<Element> open;
  XmlFile file;
};

SourceLocation here(const Reading& reading) {
  return {reading.path, static_cast<int>(XML_GetCurrentLineNumber(reading.parser)),
          static_cast<int>(XML_GetCurrentColumnNumber(reading.parser)) + 1};
}

void start_element(void* user, const XML_Char* name, const XML_Char** attributes) {
  Reading& reading = *static_cast<Reading*>(user);
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
  Element closed = std::move(reading.open.back());
  reading.open.pop_back();
  if (reading.open.empty()) {
    reading.file.root = std::move(closed);
  } else {
    reading.open.back().children.push_back(std::move(closed));
  }
}

void start_doctype(void* user, const XML_Char*, const XML_Char* system_id, const XML_Char*, int) {
  if (system_id != nullptr) static_cast<Reading*>(user)->file.document_type = system_id;
}

std::string read_text(const std::string& path) {
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "rb"),
                                                                &std::fclose);
  std::string text;
  bool good = file != nullptr;
  for (std::size_t got = 1; good && got > 0;) {
    constexpr std::size_t kPiece = 1 << 16;
    text.resize(text.size() + kPiece);
    got = std::fread(text.data() + text.size() - kPiece, 1, kPiece, file.get());
    text.resize(text.size() - kPiece + got);
    good = std::ferror(file.get()) == 0;  // a directory opens, and only the read fails
  }
  if (!good) {
    throw InputError({path, 1, 1},
                     fmt::format("cannot read the platform file: {}", std::strerror(errno)));
  }
  return text;
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

XmlFile read_xml(const std::string& path) {
  const std::string text = read_text(path);
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
    throw InputError(here(reading), fmt::format("malformed XML: {}",
                                                XML_ErrorString(XML_GetErrorCode(parser.get()))));
  }
  return std::move(reading.file);
}

}  // namespace rehearse
