// Files of one kind by name: those that come with the program, and those of the user's folders.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace rehearse {

// What is in the folder share/rehearse/FOLDER of the program, and what messages call it.
struct ProgramFilesKind {
  std::string folder;  // "devices"
  std::string what;    // "device"
  std::string option;  // of the user's folders: "--devices"
};

class ProgramFiles {
 public:
  // The program's own and those of `folders`, of which a later one wins over an earlier one and
  // over the program's. Throws InputError for a folder that cannot be read or has no such file.
  ProgramFiles(const ProgramFilesKind& kind, const std::vector<std::string>& folders);

  const std::map<std::string, std::string>& files() const { return files_; }  // by name
  std::vector<std::string> names() const;  // in the order of the alphabet
  // The file of that name, or where there is none that of it in lower case ("H100"); empty: none.
  std::string find(const std::string& name) const;

  // Which files took another's place, in sentences.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::map<std::string, std::string> files_;
  std::vector<std::string> notes_;
};

}  // namespace rehearse
