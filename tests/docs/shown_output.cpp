// Both texts are lines. Each shown line is looked for from behind the one before it: right there,
// or anywhere after "...". To write figures anew a line is known by its words: digits and units are
// left out, because 999 ms may have become 1.02 s.
#include "docs/shown_output.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

namespace rehearse {
namespace {

using Lines = std::vector<std::string>;

constexpr const char* kGap = "...";

Lines lines_of(const std::string& text) {
  Lines lines;
  std::istringstream from(text);
  for (std::string line; std::getline(from, line);) {
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(line);
  }
  return lines;
}

bool is_cut(const std::string& line) { return line.size() > 4 && line.ends_with(" ..."); }

// A line without its numbers and their units.
std::string words_of_line(const std::string& line) {
  static const std::set<std::string> kUnits = {"s",  "ms", "us", "B", "kB",
                                               "MB", "GB", "TB", "k", "M"};
  std::istringstream from(line);
  std::string words;
  for (std::string word; from >> word;) {
    std::string letters;
    for (const char c : word) {
      if (std::isdigit(static_cast<unsigned char>(c)) == 0 && c != '.' && c != ',') letters += c;
    }
    if (!letters.empty() && !kUnits.contains(letters)) words += letters + " ";
  }
  return words;
}

bool same(const std::string& shown, const std::string& printed) {
  if (!is_cut(shown)) return shown == printed;
  return printed.starts_with(shown.substr(0, shown.size() - 4));
}

bool same_words(const std::string& shown, const std::string& printed) {
  if (!is_cut(shown)) return words_of_line(shown) == words_of_line(printed);
  return words_of_line(printed).starts_with(words_of_line(shown.substr(0, shown.size() - 4)));
}

// What a line of a summary starts with, up to its first gap; empty: it has none.
std::string label_of(const std::string& line) {
  const auto begin = line.find_first_not_of(' ');
  const auto end = begin == std::string::npos ? begin : line.find("  ", begin);
  return end == std::string::npos ? "" : line.substr(begin, end - begin);
}

bool same_label(const std::string& shown, const std::string& printed) {
  return !label_of(shown).empty() && label_of(shown) == label_of(printed);
}

template <typename Same>
std::optional<std::size_t> find_line(const std::string& line, const Lines& printed,
                                     std::size_t from, bool anywhere, Same alike) {
  for (std::size_t at = from; at < printed.size(); ++at) {
    if (alike(line, printed[at])) return at;
    if (!anywhere) break;
  }
  return std::nullopt;
}

// As many words of `printed` as `shown` has, where that is cut.
std::string cut_like(const std::string& shown, const std::string& printed) {
  if (!is_cut(shown)) return printed;
  std::istringstream from(shown);
  int words = -1;  // its "..." is none
  for (std::string word; from >> word;) ++words;
  std::size_t at = 0;
  for (; words > 0 && at < printed.size(); --words) {
    at = std::min(printed.find_first_not_of(' ', at), printed.size());
    at = std::min(printed.find(' ', at), printed.size());
  }
  return printed.substr(0, at) + (at < printed.size() ? " ..." : "");
}

}  // namespace

std::string differing_line(const std::string& shown, const std::string& printed) {
  const Lines to_find = lines_of(shown);
  const Lines lines = lines_of(printed);
  std::size_t at = 0;
  bool gap = false;
  for (const std::string& line : to_find) {
    if (line == kGap) {
      gap = true;
      continue;
    }
    const auto found = find_line(line, lines, at, gap, same);
    if (!found) return line;
    at = *found + 1;
    gap = false;
  }
  return gap || at == lines.size() ? "" : "(the end, but more is printed: " + lines[at] + ")";
}

std::string with_printed_figures(const std::string& shown, const std::string& printed) {
  const Lines lines = lines_of(printed);
  std::string text;
  std::size_t at = 0;
  for (const std::string& line : lines_of(shown)) {
    auto found = line == kGap ? std::nullopt : find_line(line, lines, at, true, same_words);
    if (!found && line != kGap) found = find_line(line, lines, at, true, same_label);
    text += (found ? cut_like(line, lines[*found]) : line) + '\n';
    if (found) at = *found + 1;
  }
  return text;
}

}  // namespace rehearse
