// Data that comes with the program: beside it when it was installed, and in a build.
#pragma once

#include <string>

namespace rehearse {

// The folder share/rehearse/KIND beside the folder of the running program:
// PREFIX/share/rehearse/KIND for PREFIX/bin/rehearse, wherever that was moved to. Whether it is
// there is the caller's question.
std::string program_data(const std::string& kind);

}  // namespace rehearse
