// The options that several commands take. Those of one command stand in its file.
#pragma once

#include "cli/options.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): of CLI11
class App;
}  // namespace CLI

namespace rehearse {

void add_max_time(CLI::App& command, Options& options);
void add_max_memory(CLI::App& command, Options& options);
void add_quiet(CLI::App& command, Options& options);
void add_devices(CLI::App& command, std::vector<std::string>& folders);
void add_engines(CLI::App& command, std::vector<std::string>& folders);
// Of every command that reads a platform.
void add_gpus_at(CLI::App& command, GpusAtOptions& options);
// Of every command that reads a plan, but for the plan itself and its platform.
void add_common_options(CLI::App& command, Options& options);
// The same, and --platform.
void add_change_options(CLI::App& command, Options& options);
// The same, and PLAN.
void add_plan_options(CLI::App& command, Options& options);

}  // namespace rehearse
