// A text file in memory that can say where a byte of it stands.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.hpp"

namespace rehearse {

struct SourceText {
  std::string path;
  std::string text;

  // Line and column of the byte at `offset` (of the end where it lies beyond); a column is a byte.
  SourceLocation at(std::size_t offset) const;
  // The byte at a place that at() returned.
  std::size_t offset_of(const SourceLocation& where) const;
};

// The whole file, without a byte order mark. Throws InputError where it cannot be read, is not
// UTF-8, is empty, or is far too large to be a model or a plan. `what` is what was expected there:
// "a plan".
SourceText read_source(const std::string& path, const std::string& what);

// Throws InputError at `where` unless the file can be opened for reading. `what` says what names
// the file: "model".
void check_readable(const std::string& path, const std::string& what, const SourceLocation& where);

}  // namespace rehearse
