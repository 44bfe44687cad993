// Places are found by binary search in two indexes that are made once, of lines and of tabs: a
// search from the text's start for each of its fields would take the square of its size.
#include "input/source_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "base/files.hpp"
#include "base/utf8.hpp"

namespace rehearse {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr int kTab = 8;
constexpr const char* kBlanks = " \t\r\n";

}  // namespace

SourceText::SourceText(std::string path, std::string text)
    : path(std::move(path)), text(std::move(text)), lines_{0} {
  int column = 0;
  for (std::size_t at = 0; at < this->text.size(); ++at) {
    ++column;
    if (this->text[at] == '\n') {
      lines_.push_back(at + 1);
      column = 0;
    } else if (this->text[at] == '\t') {
      column += kTab - 1 - (column - 1) % kTab;
      tabs_.push_back({at, column});
    }
  }
}

SourceLocation SourceText::at(std::size_t offset) const {
  offset = std::min(offset, text.size());
  const auto behind = std::upper_bound(lines_.begin(), lines_.end(), offset);
  return {path, static_cast<int>(behind - lines_.begin()),
          static_cast<int>(offset - *std::prev(behind)) + 1};
}

std::size_t SourceText::offset_of(const SourceLocation& where) const {
  return lines_[static_cast<std::size_t>(where.line) - 1] + static_cast<std::size_t>(where.column) -
         1;
}

std::size_t SourceText::line_end(std::size_t line) const {
  return line + 1 < lines_.size() ? lines_[line + 1] - 1 : text.size();
}

std::size_t SourceText::offset_of_shown(int line, int column) const {
  const auto which = std::min(static_cast<std::size_t>(line), lines_.size() - 1);
  const std::size_t end = line_end(which);
  const auto first = std::partition_point(tabs_.begin(), tabs_.end(),
                                          [&](const Tab& tab) { return tab.at < lines_[which]; });
  const auto last = std::partition_point(first, tabs_.end(), [&](const Tab& tab) {
    return tab.at < end && tab.column_behind <= column;
  });
  const std::size_t from = last == first ? lines_[which] : std::prev(last)->at + 1;
  const int shown = last == first ? 0 : std::prev(last)->column_behind;
  return std::min(from + static_cast<std::size_t>(std::max(column - shown, 0)), end);
}

SourceLocation SourceText::quoted_behind(const SourceLocation& field,
                                         const std::string& value) const {
  constexpr std::size_t kFar = 1024;  // a list of values, each in its quotes
  const std::size_t begin = offset_of(field);
  const std::string_view near =
      std::string_view(text).substr(begin, value.size() + std::min(kFar, text.size()));
  const std::size_t found = value.empty() ? std::string_view::npos : near.find(value);
  return found == std::string_view::npos ? field : at(begin + found);
}

SourceText source_of(const std::string& path, std::string text, const std::string& what) {
  if (const auto bad = first_unreadable_byte(text)) {
    const std::string why = describe_unreadable(text[*bad]);
    throw InputError(SourceText(path, std::move(text)).at(*bad),
                     fmt::format("{}: expected {}", why, what));
  }
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  if (text.find_first_not_of(kBlanks) == std::string::npos) {
    throw InputError({path, 1, 1}, fmt::format("the file is empty: expected {}", what));
  }
  return {path, std::move(text)};
}

SourceText read_source(const std::string& path, const std::string& what, std::size_t largest) {
  return source_of(path, read_file(path, what, largest), what);
}

void check_readable(const std::string& path, const std::string& what, const SourceLocation& where) {
  if (const std::string why = obstacle_to_reading(path); !why.empty()) {
    throw InputError(where, fmt::format("{} \"{}\" cannot be read: {}", what, path, why));
  }
}

bool is_json(const SourceText& source) {
  // source_of leaves no empty text.
  return std::filesystem::path(source.path).extension() == ".json" ||
         source.text[source.text.find_first_not_of(kBlanks)] == '{';
}

}  // namespace rehearse
