// Golden texts: what a stage printed when somebody last looked at it, in tests/golden/NAME.txt.
#pragma once

#include <string>

namespace rehearse {

// Fails unless `text` equals tests/golden/NAME.txt; the message has the first line that differs.
// With REHEARSE_UPDATE_GOLDENS set (tools/update_goldens) the file is written instead; never when
// CI is set. `text` is sorted and free of clocks, addresses and absolute paths.
void expect_golden(const std::string& name, const std::string& text);

// Line number and both versions of the first line that differs; empty when the texts are equal.
std::string first_difference(const std::string& expected, const std::string& actual);

}  // namespace rehearse
