#include "input/source_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

namespace rehearse {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kLargestFile = std::size_t{16} << 20;

// Why the file cannot be read; empty when it can.
std::string obstacle(const std::string& path) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) return "it is a folder";
  errno = 0;
  if (std::ifstream(path, std::ios::binary)) return {};
  return errno != 0 ? std::strerror(errno) : "unknown reason";
}

struct Utf8Form {
  unsigned char mask, lead;
  std::size_t length;
  char32_t least;  // a smaller code point in this form is overlong
};
constexpr Utf8Form kUtf8Forms[] = {
    {0x80, 0x00, 1, 0}, {0xE0, 0xC0, 2, 0x80}, {0xF0, 0xE0, 3, 0x800}, {0xF8, 0xF0, 4, 0x10000}};

// Bytes of the UTF-8 sequence that `text` starts with; 0 when it starts with none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  for (const Utf8Form& form : kUtf8Forms) {
    if ((lead & form.mask) != form.lead) continue;
    if (text.size() < form.length) return 0;
    char32_t code = lead & static_cast<unsigned char>(~form.mask);
    for (std::size_t i = 1; i < form.length; ++i) {
      const auto next = static_cast<unsigned char>(text[i]);
      if ((next & 0xC0) != 0x80) return 0;
      code = (code << 6) | (next & 0x3F);
    }
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < form.least || code > 0x10FFFF || surrogate ? 0 : form.length;
  }
  return 0;
}

std::optional<std::size_t> first_byte_that_is_not_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

}  // namespace

SourceLocation SourceText::at(std::size_t offset) const {
  const std::string_view before = std::string_view(text).substr(0, std::min(offset, text.size()));
  const auto line_start = before.rfind('\n');
  const auto column =
      line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1;
  return {path, static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(column) + 1};
}

std::size_t SourceText::offset_of(const SourceLocation& where) const {
  std::size_t line_start = 0;
  for (int line = 1; line < where.line; ++line) line_start = text.find('\n', line_start) + 1;
  return line_start + static_cast<std::size_t>(where.column) - 1;
}

SourceText read_source(const std::string& path, const std::string& what) {
  SourceText source{path, {}};
  if (const std::string why = obstacle(path); !why.empty()) {
    throw InputError(source.at(0), fmt::format("{} cannot be read: {}", what, why));
  }
  std::ifstream file(path, std::ios::binary);
  std::array<char, 65536> part;
  while (source.text.size() <= kLargestFile && file) {
    file.read(part.data(), part.size());
    source.text.append(part.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) throw InputError(source.at(0), fmt::format("{} cannot be read to its end", what));
  if (source.text.size() > kLargestFile) {
    throw InputError(source.at(0), fmt::format("the file has more than {} MiB: expected {}",
                                               kLargestFile >> 20, what));
  }
  if (const auto bad = first_byte_that_is_not_utf8(source.text)) {
    throw InputError(source.at(*bad),
                     fmt::format("byte 0x{:02X} is not UTF-8 text: expected {}",
                                 static_cast<unsigned char>(source.text[*bad]), what));
  }
  if (source.text.starts_with(kByteOrderMark)) source.text.erase(0, kByteOrderMark.size());
  if (source.text.find_first_not_of(" \t\r\n") == std::string::npos) {
    throw InputError(source.at(0), fmt::format("the file is empty: expected {}", what));
  }
  return source;
}

void check_readable(const std::string& path, const std::string& what, const SourceLocation& where) {
  if (const std::string why = obstacle(path); !why.empty()) {
    throw InputError(where, fmt::format("{} \"{}\" cannot be read: {}", what, path, why));
  }
}

}  // namespace rehearse
