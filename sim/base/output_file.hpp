// Files that the program writes: each is whole or not there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/interrupts.hpp"

namespace rehearse {

// A file that appears under its name at commit(): until then its bytes are in a file of a random
// name beside it ("PATH.partial.0123456789abcdef", made new and through no link), and an older file
// stays as it is. A pipe or a character device under the name (/dev/stdout, /dev/null) is written
// into and stays what it is; a directory, a disk, a socket and a symbolic link to a file (or to
// nothing) are refused. What the system refuses is an InputError located at the path.
class OutputFile {
 public:
  explicit OutputFile(std::string path);
  ~OutputFile();  // not committed: nothing is left
  OutputFile(OutputFile&& other) noexcept;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  OutputFile& operator=(OutputFile&&) = delete;

  void write(std::string_view text);
  void close();   // everything is written; what the system only says now is thrown
  void commit();  // closes where that has not been done

 private:
  void open_new();
  void drop();
  [[noreturn]] void refuse(int error);

  std::string path_;
  int file_ = -1;
  std::optional<TemporaryName> partial_;  // nullopt: written in place, or committed
};

// Files that appear together, or none of them.
class OutputFiles {
 public:
  void add(const std::string& path, std::string_view text);
  void add(OutputFile file);
  void commit();

 private:
  std::vector<OutputFile> files_;
};

void write_file(const std::string& path, std::string_view text);

// So that no file is under this name any more; a pipe or a character device stays. Throws
// InputError where the system refuses.
void remove_file(const std::string& path);

// Throws what writing `path` would throw for what stands under its name already.
void check_replaceable(const std::string& path);

}  // namespace rehearse
