// The items of a list in one text, and its words.
#pragma once

#include <algorithm>
#include <sstream>
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

// What stands between blanks and ends of lines.
inline std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// The words in lines of at most so many characters; a longer word is a line of its own.
inline std::vector<std::string> lines_of_words(const std::string& text, std::size_t columns) {
  std::vector<std::string> lines;
  for (const std::string& word : words_of(text)) {
    if (!lines.empty() && lines.back().size() + 1 + word.size() <= columns) {
      lines.back() += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

}  // namespace rehearse
