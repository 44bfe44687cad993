// What a document shows of a command's output, against what the command prints.
#pragma once

#include <string>

namespace rehearse {

// A line "..." stands for any lines, none included, and " ..." at a line's end for the rest of it;
// blanks at the ends of lines do not count. Empty: `shown` is of `printed`; else the line that is
// not.
std::string differing_line(const std::string& shown, const std::string& printed);

// `shown` with the figures of `printed`: each line becomes the printed one that has the same words,
// or the same label. Lines that are not printed stay, so that differing_line() still names them.
std::string with_printed_figures(const std::string& shown, const std::string& printed);

}  // namespace rehearse
