// One pass over the lines: code blocks and headings are set aside, what remains is prose, whose
// digits are figures unless they belong to a name, to code or to the target of a link.
#include "docs/markdown.hpp"

#include <algorithm>
#include <cctype>

namespace rehearse {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Past the number that starts at `at`: "1,024", "12-15", "2026-11-22", "8.59", "10^9".
std::size_t end_of_number(const std::string& text, std::size_t at, std::size_t end) {
  while (at < end &&
         (is_digit(text[at]) || (std::string(",.-^:").find(text[at]) != std::string::npos &&
                                 at + 1 < end && is_digit(text[at + 1])))) {
    ++at;
  }
  return at;
}

// Digits that follow a letter, or a letter and a hyphen, belong to a name.
bool within_name(const std::string& text, std::size_t at, std::size_t begin) {
  if (at == begin) return false;
  if (is_letter(text[at - 1])) return true;
  return text[at - 1] == '-' && at - 1 > begin && is_letter(text[at - 2]);
}

std::size_t end_of_name(const std::string& text, std::size_t at, std::size_t end) {
  while (at < end && (is_digit(text[at]) || is_letter(text[at]) || text[at] == '-')) ++at;
  return at;
}

// Past code, the target of a link or an address that opens at `at`; `at` where none does.
std::size_t end_of_aside(const std::string& text, std::size_t at, std::size_t end) {
  const auto past = [&](std::size_t from, char closing) {
    const auto close = text.find(closing, from);
    return close == std::string::npos || close >= end ? end : close + 1;
  };
  if (text[at] == '`') return past(at + 1, '`');
  if (text.compare(at, 2, "](") == 0) return past(at + 2, ')');
  if (text.compare(at, 8, "https://") == 0) return std::min(text.find_first_of(" )\n", at), end);
  return at;
}

// Past the "3. " that numbers an item of a list.
std::size_t end_of_list_number(const std::string& text, std::size_t begin, std::size_t end) {
  const std::size_t first = std::min(text.find_first_not_of(' ', begin), end);
  std::size_t at = first;
  while (at < end && is_digit(text[at])) ++at;
  return at > first && text.compare(at, 2, ". ") == 0 ? at + 1 : begin;
}

void add_aside(const std::string& text, const Span& aside, Markdown& document) {
  const std::string whole = text.substr(aside.begin, aside.end - aside.begin);
  if (whole.size() > 2 && whole.starts_with("`") && whole.ends_with("`")) {
    document.inline_code.push_back(whole.substr(1, whole.size() - 2));
  } else if (whole.starts_with("](") && whole.ends_with(")")) {
    document.links.push_back({aside, whole.substr(2, whole.size() - 3)});
  }
}

void add_prose(const std::string& text, std::size_t begin, std::size_t end, Markdown& document) {
  std::vector<Span>& figures = document.figures;
  for (std::size_t at = end_of_list_number(text, begin, end); at < end;) {
    const std::size_t aside = end_of_aside(text, at, end);
    if (aside > at) {
      add_aside(text, {at, aside}, document);
      at = aside;
    } else if (!is_digit(text[at])) {
      ++at;
    } else if (within_name(text, at, begin)) {
      at = end_of_name(text, at, end);
    } else {
      figures.push_back({at, end_of_number(text, at, end)});
      at = figures.back().end;
    }
  }
}

int level_of(const std::string& line) {
  const auto level = line.find_first_not_of('#');
  return level != std::string::npos && level > 0 && line[level] == ' ' ? static_cast<int>(level)
                                                                       : 0;
}

void close_sections(std::vector<Section>& sections, int level, std::size_t end) {
  for (Section& section : sections) {
    if (section.span.end == std::string::npos && section.level >= level) section.span.end = end;
  }
}

}  // namespace

Markdown read_markdown(const std::string& text) {
  Markdown document;
  bool in_code = false;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    if (line.starts_with("```")) {
      in_code = !in_code;
      if (in_code) document.code.push_back({{begin, end}, line.substr(3), ""});
      document.code.back().span.end = end;
    } else if (in_code) {
      document.code.back().text += line + '\n';
    } else if (const int level = level_of(line); level > 0) {
      close_sections(document.sections, level, begin);
      document.sections.push_back(
          {line.substr(static_cast<std::size_t>(level) + 1), level, {begin, std::string::npos}});
    } else {
      add_prose(text, begin, end, document);
    }
    begin = end + 1;
  }
  close_sections(document.sections, 1, text.size());
  return document;
}

std::string anchor_of(const std::string& title) {
  std::string anchor;
  for (const char c : title) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ') anchor += '-';
    if (std::isalnum(byte) != 0 || c == '-' || c == '_') {
      anchor += static_cast<char>(std::tolower(byte));
    }
  }
  return anchor;
}

int line_of(const std::string& text, std::size_t offset) {
  return 1 + static_cast<int>(std::count(text.begin(),
                                         text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

}  // namespace rehearse
