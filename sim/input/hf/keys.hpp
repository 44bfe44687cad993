// The keys of a config.json that no family has read, by what they would do to arithmetic, bytes and
// memory.
#pragma once

#include <span>
#include <string_view>

namespace rehearse {

// A key that changes them when it says something: for a family that does not read it, a model that
// is not understood.
struct NotUnderstood {
  std::string_view key;
  const char* what;
};
std::span<const NotUnderstood> keys_that_change_arithmetic();

// Whether the key is known to change nothing (names, ids, dropout, rotary positions,
// initialisation, training, generation).
bool is_harmless(std::string_view key);

}  // namespace rehearse
