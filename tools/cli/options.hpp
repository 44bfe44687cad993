// What the command line says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/write_platform.hpp"
#include "input/input.hpp"

namespace rehearse {

struct PlatformOptions {
  PlatformRequest request;  // nodes: of `nodes`
  std::optional<std::int64_t> nodes;
  std::string price;  // as typed
  std::string out;    // empty: stdout
  std::string show;
  std::string from;
  std::string to;
};

struct CollectiveOptions {
  std::string platform;
  std::string op = "all_reduce";
  std::optional<std::string> bytes;
  std::string algorithm = "auto";
  std::string network = "fluid";
  std::string splits;        // as typed: "4:2:1:1"
  std::string experts;       // as typed: "8/256"
  std::optional<int> ranks;  // absent: every GPU of the platform
  std::optional<int> groups;
  bool strided = false;
};

struct CheckOptions {
  std::string junit;  // files to write; empty: none
  std::string markdown;
  std::string html;
  std::string record;
  std::string expect;               // file to judge against; empty: every claim must hold
  std::vector<std::string> claims;  // only these; empty: all
};

struct CompareOptions {
  std::string before;  // result.json or plan
  std::string after;
  std::vector<std::string> tolerances;  // as typed
};

struct SearchOptions {
  // By the field of plan.proto's Search, as typed.
  std::map<std::string, std::vector<std::string>> space;
  std::string top = "10";
  std::string workers;  // empty: one per core
  std::string timeout = "600s";
  std::string journal;
  std::string why_not;
  std::string worker_sockets;
  bool exhaustive = false;
  bool no_skew = false;
};

struct Options {
  PlanRequest plan;
  std::string out;  // --out DIR, empty: write nothing
  bool json = false;
  bool quiet = false;
  bool explain = false;
  bool no_uniform_run = false;
  std::string trace_ranks;  // as typed
  std::string trace_window;
  std::string fold = "auto";
  std::string max_memory;  // as typed; empty: what the machine has free
  std::string max_time = "20s";
  std::string dump;  // show: "", "graph", "program"
  CheckOptions check;
  CompareOptions compare;
  PlatformOptions platform;
  CollectiveOptions collective;
  SearchOptions search;
};

// The option of a field of plan.proto's Search: "--max-gpus" of "max_gpus".
inline std::string option_of(const std::string& field) {
  std::string option = "--" + field;
  std::replace(option.begin(), option.end(), '_', '-');
  return option;
}

// `--OPTION VALUE` as typed; the column is that of VALUE.
inline SourceLocation option_place(const std::string& option, const std::string& value) {
  return {option + " " + value, 1, static_cast<int>(option.size()) + 2};
}

}  // namespace rehearse
