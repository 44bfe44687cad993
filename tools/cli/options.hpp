// What the command line says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/write_platform.hpp"
#include "commands/collective.hpp"
#include "commands/search.hpp"
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

}  // namespace rehearse
