// What the command line says.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "catalog/write_platform.hpp"
#include "commands/calibrate.hpp"
#include "commands/collective.hpp"
#include "commands/collective_batch.hpp"
#include "commands/init.hpp"
#include "commands/launch.hpp"
#include "commands/operator_batch.hpp"
#include "commands/search.hpp"
#include "input/input.hpp"

namespace rehearse {

// GPUs of the catalogue for hosts of a platform file that has none.
struct GpusAtOptions {
  std::vector<std::string> at;       // as typed: "CUDA*=h100"
  std::vector<std::string> devices;  // --devices
};

struct PlatformOptions {
  PlatformRequest request;  // nodes: of `nodes`
  std::optional<std::int64_t> nodes;
  std::string price;  // as typed
  std::string out;    // empty: stdout
  std::string show;
  std::vector<GpusAt> gpus_at;
  std::string from;
  std::string to;
};

struct GpusOptions {
  std::string name;   // empty: all
  std::string check;  // a device file; empty: none
  std::vector<std::string> devices;
};

// Absent: not typed.
struct InitOptions {
  std::optional<int> gpus;
  std::string job;  // --for
  bool force = false;
  InitRequest request;
};

struct LaunchOptions {
  std::string vllm;  // the command lines; empty: not given
  std::string sglang;
  std::string megatron;
  std::string acceptance;  // as typed: "0.8,0.6"
  bool force = false;
  LaunchRequest request;
};

struct EnginesOptions {
  std::string name;   // empty: all
  std::string check;  // an engine file; empty: none
  std::vector<std::string> folders;
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

struct CompletionOptions {
  std::string shell;
  std::string values;  // a kind of value_kinds.hpp
};

struct Options {
  bool for_programs() const { return json || csv || markdown; }

  PlanRequest plan;
  std::optional<int> context;  // of show without a plan
  std::string out;             // --out DIR, empty: write nothing
  // The form of the answer; none of them: for people.
  bool json = false;
  bool csv = false;
  bool markdown = false;  // of check only where no file is named (CheckOptions)
  bool quiet = false;
  std::shared_ptr<ProgressLine> waiting;  // of the whole command; ends before anything is printed
  bool explain = false;
  bool no_uniform_run = false;
  std::string trace_ranks;  // as typed
  std::string trace_window;
  std::string fold = "auto";
  std::string detail;
  std::string max_memory;  // as typed; empty: what the machine has free
  std::string max_time = "20s";
  std::string dump;  // show: "", "graph", "program", "ranks"
  CheckOptions check;
  CompareOptions compare;
  PlatformOptions platform;
  GpusOptions gpus;
  std::string traffic;  // a file's path
  EnginesOptions engines;
  InitOptions init;
  LaunchOptions launch;
  GpusAtOptions gpus_at;
  CollectiveOptions collective;
  CollectiveBatchOptions collective_batch;
  OperatorOptions operators;
  CalibrateOptions calibrate;
  SearchOptions search;
  std::string seeds = "1";  // of run and size, as typed
  std::string help_of;      // a command's name; empty: of all
  std::string schema;       // a path: "plan.serve"; empty: the plan
  std::string man_folder;   // man --all
  CompletionOptions completion;
};

}  // namespace rehearse
