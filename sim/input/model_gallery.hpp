// Models by name: the files of share/rehearse/models/ORGANISATION/NAME.textproto.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

namespace rehearse {

// "Qwen/Qwen3-235B-A22B" ..., in the order of the alphabet. Empty where the program's folder is not
// there.
std::vector<std::string> gallery_models();

// The file that `written` means: the path itself; of a folder, its config.json; else the gallery's
// model of that name ("Qwen/Qwen3-32B", "qwen3-32b", and of tuned ones
// "Qwen3-30B-A3B-Instruct-2507" of the same dimensions). `path`: `written` as a path from where it
// stands, looked for first. What is none of them is given back as `path`: whoever reads it says
// that it is not there. Throws InputError at `where` for a name that nothing has but one is near,
// or that several organisations have.
std::string find_model(const std::string& written, const std::string& path,
                       const SourceLocation& where);
inline std::string find_model(const std::string& written, const SourceLocation& where) {
  return find_model(written, written, where);
}

}  // namespace rehearse
