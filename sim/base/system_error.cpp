#include "base/system_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace rehearse {

SystemError::SystemError(const std::string& what, int error)
    : std::runtime_error(
          fmt::format("error: {}: {}", what, std::generic_category().message(error))) {}

void check_system(bool done, const char* what) {
  if (!done) throw SystemError(what, errno);
}

}  // namespace rehearse
