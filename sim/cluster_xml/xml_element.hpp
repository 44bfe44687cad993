// An XML file as a tree that remembers where each element stands. SimGrid's own parser reports
// lines at best and aborts at worst, so the file is read here first.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace rehearse {

struct Element {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;  // in file order
  std::vector<Element> children;
  SourceLocation where;  // of its '<'

  // Null when the attribute is absent.
  const std::string* attribute(const std::string& key) const;
  // REQUIRES the attribute to be there (check_grammar has seen the element).
  const std::string& required(const std::string& key) const;
  // Null when no <prop> of that id is a child.
  const Element* property(const std::string& id) const;
};

// `cluster "gpus"`, `host "gpu0"`, `route "a" -> "b"`: how messages name an element.
std::string describe(const Element& element);

struct XmlFile {
  Element root;
  std::string document_type;  // the SYSTEM identifier of <!DOCTYPE root SYSTEM "...">, or empty
};

// Throws InputError when the file cannot be read or is not well-formed XML, its elements nest too
// deep (whoever walks them calls himself) or are too many.
XmlFile read_xml(const std::string& path);
XmlFile parse_xml(const std::string& text, const std::string& path);

}  // namespace rehearse
