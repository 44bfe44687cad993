// The items of a list in one text.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace rehearse {

// "1,2," has three items, the last of them empty: what a list ends with is no less an item than
// what it begins with. An empty text has one, which is empty.
inline std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> items;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    items.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return items;
}

}  // namespace rehearse
