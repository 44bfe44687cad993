#include "platform/gpus_at.hpp"

#include <cstddef>

namespace rehearse {

bool matches(const std::string& pattern, const std::string& name) {
  std::size_t at = 0;                    // in the name
  std::size_t of = 0;                    // in the pattern
  std::size_t star = std::string::npos;  // the last * that was met
  std::size_t behind = 0;                // where the name went on behind what that * took
  while (at < name.size()) {
    if (of < pattern.size() && pattern[of] == '*') {
      star = of++;
      behind = at;
    } else if (of < pattern.size() && pattern[of] == name[at]) {
      ++of;
      ++at;
    } else if (star != std::string::npos) {  // it takes one more
      of = star + 1;
      at = ++behind;
    } else {
      return false;
    }
  }
  while (of < pattern.size() && pattern[of] == '*') ++of;
  return of == pattern.size();
}

}  // namespace rehearse
