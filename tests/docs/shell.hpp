// A shell that runs what a document shows, in a folder that looks like the repository's root.
#pragma once

#include <filesystem>
#include <string>

namespace rehearse {

// Has links to the folders of data that commands of the documents name, and takes what they write.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct Output {
  int status = -1;
  std::string text;
};

// In a shell that knows `rehearse`, $PLAN and $OUT. It stops at the first command that neither ends
// with 0 nor 1, the two answers.
Output run_in(const std::filesystem::path& folder, const std::string& commands);

// What the file holds. Throws std::runtime_error where it cannot be read.
std::string text_of(const std::filesystem::path& path);

}  // namespace rehearse
