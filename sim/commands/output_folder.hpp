// The folder of --out.
#pragma once

#include <initializer_list>
#include <string>

namespace rehearse {

// Creates the directory of --out, where `files` will be written: what can be wrong with it is known
// before anybody waits for a simulation. Throws InputError.
void prepare_output(const std::string& directory, std::initializer_list<const char*> files);

}  // namespace rehearse
