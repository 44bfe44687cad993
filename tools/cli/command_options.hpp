// The options of each command.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/options.hpp"

namespace rehearse {

void add_quiet(CLI::App& command, Options& options);
void add_gpus_at(CLI::App& command, GpusAtOptions& options);
void add_plan_options(CLI::App& command, Options& options);
void add_run_options(CLI::App& run, Options& options);
void add_check_options(CLI::App& check, Options& options);
void add_compare_options(CLI::App& compare, Options& options);
void add_gpus_options(CLI::App& gpus, Options& options);
void add_engines_options(CLI::App& engines, Options& options);
void add_traffic_options(CLI::App& traffic, Options& options);
void add_platform_options(CLI::App& platform, PlatformOptions& options);
void add_calibrate_options(CLI::App& command, Options& options);
void add_operator_options(CLI::App& command, Options& options);
void add_collective_options(CLI::App& collective, Options& options);
void add_size_options(CLI::App& size, Options& options);
void add_search_options(CLI::App& search, Options& options);
void add_show_options(CLI::App& show, Options& options);

}  // namespace rehearse
