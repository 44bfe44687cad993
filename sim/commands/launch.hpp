// `rehearse plan --from-vllm "vllm serve ..."`: the plan of an engine's launch command. Every flag
// is used, ignored (it changes no number) or refused (it changes the answer in a way that no plan
// says, or nobody here knows it): three lists, in what is said and at the head of the plan.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace rehearse {

enum class LaunchEngine { kVllm, kSglang };

struct LaunchRequest {
  std::string gpu = "h100";          // --gpu
  std::optional<int> nodes;          // --nodes; absent: as many as the layout needs
  std::string fabric;                // --fabric; empty: star in one server, rail between several
  std::optional<std::string> model;  // --model: in place of the command's
  std::string rate = "1/s";          // what arrives is in no launch command
  int prompt_tokens = 1024;
  int output_tokens = 256;
  std::vector<double> acceptance;    // of drafts, by position; empty: not known
  bool partly = false;               // --partly: write a plan without what is refused
  std::string out;                   // the plan's file; empty: stdout
  std::vector<std::string> devices;  // --devices
};

// A flag as typed, and what became of it.
struct LaunchLine {
  std::string typed;
  std::string what;
};

struct LaunchAnswer {
  std::vector<LaunchLine> used;
  std::vector<LaunchLine> ignored;
  std::vector<LaunchLine> refused;
  std::string plan;  // empty: something is refused, and --partly was not asked for
  std::string platform;
  std::string platform_path;  // beside the plan
  std::string memory;         // a line: whether it fits, or who lacks how much and what helps
  bool fits = true;
  std::string why_not;  // what `run` refuses the plan for, whatever the memory; empty: nothing
};

// Throws InputError, located in the command: words that are no such command, values that the engine
// would not take, a model that is not known; and as the readers of plans do.
LaunchAnswer plan_of_launch(LaunchEngine engine, const std::string& command,
                            const LaunchRequest& request);

// The three lists, each line behind `indent`.
std::string lists_text(const LaunchAnswer& answer, const std::string& indent);

}  // namespace rehearse
