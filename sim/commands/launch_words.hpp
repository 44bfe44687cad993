// The words of a command line, as a POSIX shell splits them.
#pragma once

#include <string>
#include <vector>

namespace rehearse {

struct LaunchWord {
  std::string text;
  int column = 1;  // where it begins in the command, counted from 1
};

// Quotes, backslashes and broken lines are heeded; nothing is expanded. Throws InputError at
// `option` for a quote that does not end, and for what only a shell can do: pipes, variables.
std::vector<LaunchWord> words_of_command(const std::string& option, const std::string& command);

}  // namespace rehearse
