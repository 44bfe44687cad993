// Text in XML files that the program writes.
#pragma once

#include <string>

namespace rehearse {

// As it stands in an attribute or between tags. XML 1.0: five characters have names; control
// characters other than tab and line ends cannot be written at all, and become question marks.
std::string escaped_xml(const std::string& text);

}  // namespace rehearse
