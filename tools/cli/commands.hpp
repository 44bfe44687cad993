// The commands of `rehearse`, one .cpp each. Each returns the exit code: 0 yes, 1 the answer is no;
// errors are thrown.
#pragma once

#include "cli/options.hpp"

namespace rehearse {

int run_command(const Options& options);
int check_command(const Options& options);
int compare_command(const Options& options);
int show_command(const Options& options);
int platform_command(const Options& options);
int gpus_command(const Options& options);
int engines_command(const Options& options);
int balance_command(const Options& options);
int init_command(const Options& options);
int calibrate_command(const Options& options);
int operator_command(const Options& options);
int collective_command(const Options& options);
int traffic_command(const Options& options);
int size_command(const Options& options);
int search_command(const Options& options);
// Serves requests of a search elsewhere, on stdin and stdout; hidden.
int search_worker_command(const Options& options);

}  // namespace rehearse
