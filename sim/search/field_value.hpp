// FIELD=VALUE, as in a candidate's key and in a choice of algorithms.
#pragma once

#include <string>

namespace rehearse {

// False where there is no such pair.
inline bool split_pair(const std::string& text, std::string& field, std::string& value) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) return false;
  field = text.substr(0, equals);
  value = text.substr(equals + 1);
  return true;
}

}  // namespace rehearse
