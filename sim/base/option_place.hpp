// Where a wrong value of the command line stands, for errors found below the command line.
#pragma once

#include <fmt/format.h>

#include <string>

#include "base/error.hpp"

namespace rehearse {

// `--OPTION VALUE` as typed; the column is that of VALUE.
template <class Value>
SourceLocation option_place(const std::string& option, const Value& value) {
  return {fmt::format("{} {}", option, value), 1, static_cast<int>(option.size()) + 2};
}

}  // namespace rehearse
