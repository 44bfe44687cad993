// What a launch command says, read word by word against its engine's table.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "commands/launch_flags.hpp"

namespace rehearse {

// Absent, empty: not said.
struct LaunchSettings {
  std::string model;
  int tensor = 1;
  int pipeline = 1;
  int data = 1;
  bool expert_parallel = false;
  std::optional<int> expert_degree;
  bool dp_attention = false;
  std::optional<int> max_length;
  std::optional<int> max_sequences;
  std::optional<int> max_tokens;
  std::optional<int> block;
  std::optional<int> blocks;
  std::optional<int> pool_tokens;
  std::optional<double> memory_fraction;
  std::string cache_type;    // of keys and values: "fp8"
  std::string quantization;  // as typed
  std::optional<bool> prefix_cache;
  std::optional<bool> chunked;
  std::optional<bool> asynchronous;
  bool no_graphs = false;
  std::string policy;
  std::string router;
  std::string library;                   // of collectives
  std::string drafts;                    // "mtp", "ngram"
  std::optional<int> drafted;            // tokens of a step
  std::vector<std::string> secrets;      // keys and tokens
  std::map<FlagUse, std::size_t> place;  // of a flag's line among those that are used
};

// Fills the three lists. Throws InputError, located in the command.
LaunchSettings read_launch(LaunchEngine engine, const std::string& command, LaunchAnswer& lists);

// Moves a line from the used ones to the refused ones.
void refuse_line(FlagUse use, const std::string& why, const LaunchSettings& settings,
                 LaunchAnswer& lists);

}  // namespace rehearse
