#include "base/error.hpp"

#include <fmt/format.h>

namespace rehearse {

std::string to_text(const SourceLocation& where) {
  return fmt::format("{}:{}:{}", where.file, where.line, where.column);
}

InputError::InputError(const SourceLocation& where, const std::string& message)
    : std::runtime_error(fmt::format("{}: error: {}", to_text(where), message)) {}

SourceLocation FieldLocations::at(std::string field) const {
  while (!field.empty()) {
    if (const auto found = places_.find(field); found != places_.end()) return found->second;
    const auto dot = field.rfind('.');
    field.resize(dot == std::string::npos ? 0 : dot);
  }
  return {file_, 1, 1};
}

void sim_check_failed(const char* condition, const char* file, int line,
                      const std::string& message) {
  throw InternalError(
      fmt::format("{}:{}: internal error: {} ({} is false)", file, line, message, condition));
}

}  // namespace rehearse
