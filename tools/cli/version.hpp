// Which rehearse this is.
#pragma once

#include <fmt/format.h>

#include <string>

namespace rehearse {

// The commit that the program is built from, "not known" where that is no checkout
// (tools/cli/version.cmake). Nothing that a command writes depends on it, so that equal inputs give
// equal bytes: only `rehearse --version` says it.
extern const char* const kCommit;

// "rehearse 0.1.0 (commit 0123456789ab)"
inline std::string version_text() {
  return fmt::format("rehearse {} (commit {})", REHEARSE_VERSION, kCommit);
}

}  // namespace rehearse
