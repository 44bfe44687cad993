// Files that commands write.
#pragma once

#include <string>

namespace rehearse {

// Under a temporary name first, so that no half-written file is ever seen under the real one.
// Throws InputError.
void write_file(const std::string& path, const std::string& text);

}  // namespace rehearse
