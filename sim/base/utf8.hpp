// UTF-8, as RFC 3629 defines it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rehearse {

// Bytes of the UTF-8 sequence that `text` (not empty) starts with; 0 when it starts with none: no
// overlong form, no surrogate, nothing above U+10FFFF.
std::size_t utf8_length(std::string_view text);

// Offset of the first byte that is not UTF-8, or is NUL, which ends a text for some readers and not
// for others; nothing: the text is fit to be read.
std::optional<std::size_t> first_unreadable_byte(std::string_view text);

// "byte 0xFF is not UTF-8 text": of the byte that it found.
std::string describe_unreadable(char byte);

// The text as a message shows it: its first 60 bytes or so where it is longer ("aaaa... (26000
// bytes)"), control characters as escapes, so that a message stays one line.
std::string shortened(std::string_view text);

}  // namespace rehearse
