// `rehearse init`: a plan to start from, for a model on GPUs of a kind: laid out so that it fits
// and runs, each choice with its reason beside it, and the platform that it names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands/init_layout.hpp"

namespace rehearse {

struct InitRequest {
  std::string model;                 // --model, as typed
  std::string gpu;                   // --gpu
  int gpus = 0;                      // --gpus
  bool serves = true;                // --for
  std::optional<std::string> rate;   // --rate: "4/s"
  int prompt_tokens = 1024;          // --prompt
  int output_tokens = 256;           // --output
  std::string out;                   // the plan's file; empty: stdout
  std::vector<std::string> devices;  // --devices
};

struct InitAnswer {
  bool fits = true;
  std::string plan;  // texts; empty where nothing fits
  std::string platform;
  std::string platform_path;  // beside the plan
  std::string decided;        // what it decided and why, or what is missing: lines for a reader
};

// Throws InputError: a model or GPU that is not known, numbers out of bounds, a device of which the
// catalogue does not know how its servers are joined.
InitAnswer init_plan(const InitRequest& request);

}  // namespace rehearse
