// What the command line says.
#pragma once

#include <string>

#include "base/error.hpp"
#include "input/input.hpp"
#include "platform/write_platform.hpp"

namespace rehearse {

struct PlatformOptions {
  PlatformRequest request;
  std::string nic;  // as typed
  std::string out;  // empty: stdout
  std::string show;
  std::string from;
  std::string to;
};

struct CollectiveOptions {
  std::string platform;
  std::string op = "all_reduce";
  std::string bytes = "8KB..1GB";
  std::string algorithm = "auto";
  std::string network = "fluid";
  int ranks = 0;  // 0: every GPU of the platform
  int groups = 1;
  bool strided = false;
};

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
  PlatformOptions platform;
  CollectiveOptions collective;
};

// `--OPTION VALUE` as typed; the column is that of VALUE.
inline SourceLocation option_place(const std::string& option, const std::string& value) {
  return {option + " " + value, 1, static_cast<int>(option.size()) + 2};
}

}  // namespace rehearse
