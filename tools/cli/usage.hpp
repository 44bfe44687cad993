// What is wrong with a command line that cannot be parsed, in one line on stderr.
#pragma once

#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): of CLI11
class App;
class ParseError;
}  // namespace CLI

namespace rehearse {

constexpr int kUsage = 2;

// `command`: whose help lists what there is; empty: the program's.
int refuse_usage(const std::string& what, const std::string& command = "");

// Words that are no option and no command of `app`, with what was meant where that can be told;
// empty: there are none.
std::string describe_unexpected(const CLI::App& app);

// CLI11's own words, but for those that name no rule. `words`: of the command line.
std::string describe_error(const CLI::ParseError& error, const std::vector<std::string>& words);

// The first option that is given the empty word, as a script does whose variable is not set.
std::string option_without_text(const CLI::App& command);

}  // namespace rehearse
