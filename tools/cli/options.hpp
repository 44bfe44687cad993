// What the command line says.
#pragma once

#include <string>

#include "base/error.hpp"
#include "input/input.hpp"

namespace rehearse {

struct Options {
  PlanRequest plan;
  std::string out;  // --out DIR, empty: write nothing
  bool json = false;
  bool quiet = false;
  bool explain = false;
  std::string trace_ranks;  // as typed
  std::string trace_window;
  std::string max_memory;  // as typed; empty: what the machine has free
  std::string dump;        // show: "", "graph", "program"
};

// `--OPTION VALUE` as typed; the column is that of VALUE.
inline SourceLocation option_place(const std::string& option, const std::string& value) {
  return {option + " " + value, 1, static_cast<int>(option.size()) + 2};
}

}  // namespace rehearse
