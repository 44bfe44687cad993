// Files that commands write.
#pragma once

#include <initializer_list>
#include <string>

namespace rehearse {

// Creates the directory of --out, where `files` will be written: what can be wrong with it is known
// before anybody waits for a simulation. Throws InputError.
void prepare_output(const std::string& directory, std::initializer_list<const char*> files);

// Under a temporary name first, so that no half-written file is ever seen under the real one.
// Throws InputError.
void write_file(const std::string& path, const std::string& text);

}  // namespace rehearse
