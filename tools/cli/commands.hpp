// The commands of `rehearse`, one .cpp each: their options, and what they do. Each returns the exit
// code: 0 yes, 1 the answer is no; errors are thrown.
#pragma once

#include "cli/options.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): of CLI11
class App;
}  // namespace CLI

namespace rehearse {

void add_run_options(CLI::App& command, Options& options);
int run_command(const Options& options);
void add_check_options(CLI::App& command, Options& options);
int check_command(const Options& options);
void add_compare_options(CLI::App& command, Options& options);
int compare_command(const Options& options);
void add_init_options(CLI::App& command, Options& options);
int init_command(const Options& options);
void add_show_options(CLI::App& command, Options& options);
int show_command(const Options& options);
void add_plan_from_options(CLI::App& command, Options& options);
int plan_command(const Options& options);
void add_platform_options(CLI::App& command, Options& options);
int platform_command(const Options& options);
void add_gpus_options(CLI::App& command, Options& options);
int gpus_command(const Options& options);
void add_engines_options(CLI::App& command, Options& options);
int engines_command(const Options& options);
void add_calibrate_options(CLI::App& command, Options& options);
int calibrate_command(const Options& options);
void add_operator_options(CLI::App& command, Options& options);
int operator_command(const Options& options);
void add_collective_options(CLI::App& command, Options& options);
int collective_command(const Options& options);
void add_traffic_options(CLI::App& command, Options& options);
int traffic_command(const Options& options);
void add_size_options(CLI::App& command, Options& options);
int size_command(const Options& options);
void add_search_options(CLI::App& command, Options& options);
int search_command(const Options& options);
int balance_command(const Options& options);
// Serves requests of a search elsewhere, on stdin and stdout; hidden.
int search_worker_command(const Options& options);
int help_command(const Options& options);
int version_command(const Options& options);
int schema_command(const Options& options);
int man_command(const Options& options);
int completion_command(const Options& options);
void add_help_options(CLI::App& command, Options& options);
void add_schema_options(CLI::App& command, Options& options);
void add_man_options(CLI::App& command, Options& options);
void add_completion_options(CLI::App& command, Options& options);

}  // namespace rehearse
