// Files of the user: read whole, up to a limit, and only what can be read again.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.hpp"

namespace rehearse {

// No model, plan, claims or platform comes near it; what is larger is something else.
constexpr std::size_t kLargestText = std::size_t{16} << 20;
// Of a trace of requests: BurstGPT's of 5.3 million lines has some 350 MB.
constexpr std::size_t kLargestTrace = std::size_t{512} << 20;

// Why the file cannot be read as text; empty when it can. A pipe or a device is none: inputs are
// read more than once (the digest of a run, SimGrid's own parser), and a device may have no end.
std::string obstacle_to_reading(const std::string& path);

// The whole file. Throws InputError where it cannot be read or has more than `largest` bytes;
// `what` says what was expected there: "a plan".
std::string read_file(const std::string& path, const std::string& what,
                      std::size_t largest = kLargestText);

// A path at which the file can be read any number of times: "-" and pipes of this process
// (/dev/stdin, /dev/fd/63) are read to their end and kept in memory under their descriptor; other
// paths stay as they are. Call it on what the command line names, before anything reads it. Throws
// as read_file.
std::string rereadable(const std::string& path, const std::string& what);

// A text at a path, without a file: for readers that want one. Gone with the object.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& text);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const;  // "/dev/fd/7"

 private:
  int descriptor_;
};

// Whether the path is a descriptor of this process, and so in no folder.
bool is_descriptor(const std::string& path);

}  // namespace rehearse
