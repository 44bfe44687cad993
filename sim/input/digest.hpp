// Identity of the inputs of a run.
#pragma once

#include <string>
#include <vector>

namespace rehearse {

// SHA-256, in hexadecimal, over the bytes of the files and the texts, each with its length before
// it. Throws InputError for a file that cannot be read.
std::string sha256_of(const std::vector<std::string>& files, const std::vector<std::string>& texts);

}  // namespace rehearse
