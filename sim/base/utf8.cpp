#include "base/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rehearse {
namespace {

struct Form {
  unsigned char mask, lead;
  std::size_t length;
  char32_t least;  // a smaller code point in this form is overlong
};
constexpr Form kForms[] = {{0xE0, 0xC0, 2, 0x80}, {0xF0, 0xE0, 3, 0x800}, {0xF8, 0xF0, 4, 0x10000}};

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  for (const Form& form : kForms) {
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

std::optional<std::size_t> first_unreadable_byte(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = text[at] == '\0' ? 0 : utf8_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

std::string describe_unreadable(char byte) {
  if (byte == '\0') return "byte 0x00 does not belong in a text";
  return fmt::format("byte 0x{:02X} is not UTF-8 text", static_cast<unsigned char>(byte));
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kMost = 60;
  std::string shown;
  for (std::size_t at = 0; at < text.size();) {
    if (at >= kMost && text.size() > 2 * kMost) {
      return fmt::format("{}... ({} bytes)", shown, text.size());
    }
    const std::size_t length = std::max<std::size_t>(utf8_length(text.substr(at)), 1);
    const char first = text[at];
    if (static_cast<unsigned char>(first) < 0x20 || first == '\x7F') {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(first));
    } else {
      shown += text.substr(at, length);
    }
    at += length;
  }
  return shown;
}

}  // namespace rehearse
