// All commands with their options, ready to be parsed, or read for a help page.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/options.hpp"

namespace rehearse {

struct CommandLine {
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Options options;  // filled by parsing
  CLI::App app;
};

}  // namespace rehearse
