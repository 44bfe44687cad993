// The keys of a config.json by what they do to arithmetic, bytes and memory.
#pragma once

#include <span>
#include <string_view>

namespace rehearse {

// A key that, when it says something, changes them in a way that Model cannot say.
struct NotModelled {
  const char* key;
  const char* what;
};
std::span<const NotModelled> keys_not_modelled();

// Whether the key is read, refused, or known to change nothing (names, ids, dropout, rotary
// positions, initialisation, training).
bool is_known_key(std::string_view key);

}  // namespace rehearse
