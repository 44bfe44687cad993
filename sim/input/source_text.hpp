// A text file in memory that can say where a byte of it stands.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"

namespace rehearse {

class SourceText {
 public:
  // Any bytes; read_source and source_of say which texts are fit to be parsed.
  SourceText(std::string path, std::string text);

  const std::string path;
  const std::string text;

  // Line and column of the byte at `offset` (of the end where it lies beyond); a column is a byte.
  SourceLocation at(std::size_t offset) const;
  // The byte at a place that at() returned.
  std::size_t offset_of(const SourceLocation& where) const;
  // The byte at `line` and `column` as protobuf counts them: from 0, a tab goes to the next
  // multiple of 8.
  std::size_t offset_of_shown(int line, int column) const;
  // Where `value` stands in the quotes behind a field's name at `field`; `field` where it is not
  // found there as it is (it has escapes, or is far away).
  SourceLocation quoted_behind(const SourceLocation& field, const std::string& value) const;

 private:
  struct Tab {
    std::size_t at = 0;
    int column_behind = 0;
  };
  std::size_t line_end(std::size_t line) const;

  std::vector<std::size_t> lines_;  // offset of each line's first byte
  std::vector<Tab> tabs_;           // in the order of the text
};

// The text as a file of that path: without a byte order mark. Throws InputError where it is not
// UTF-8, has a NUL or is empty. `what` is what was expected there: "a plan".
SourceText source_of(const std::string& path, std::string text, const std::string& what);

// The whole file, read_file (base/files.hpp) and source_of.
SourceText read_source(const std::string& path, const std::string& what,
                       std::size_t largest = kLargestText);

// Throws InputError at `where` unless the file can be read. `what` says what names the file:
// "model".
void check_readable(const std::string& path, const std::string& what, const SourceLocation& where);

// Whether the file is JSON rather than a textproto: by its ending, or because it begins with "{".
bool is_json(const SourceText& source);

}  // namespace rehearse
