#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <new>
#include <system_error>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/interrupts.hpp"
#include "base/system_error.hpp"
#include "base/utf8.hpp"
#include "catalog/gpu_properties.hpp"
#include "cli/answer.hpp"
#include "cli/command_line.hpp"
#include "cli/command_table.hpp"
#include "cli/help_text.hpp"
#include "cli/usage.hpp"
#include "input/read_engine.hpp"

namespace rehearse {
namespace {

constexpr int kBug = 3;

// "run, check or search"
std::string names_of_commands() {
  std::vector<std::string> names;
  for (const Command& command : commands()) names.push_back(command.name);
  const std::string last = names.back();
  names.pop_back();
  return fmt::format("{} or {}", fmt::join(names, ", "), last);
}

// Inputs are read more than once: what comes through a pipe is kept ("-": standard input).
void make_rereadable(Options& options) {
  const char* of_stdin = nullptr;  // what "-" stands for
  const auto keep = [&of_stdin](std::string& path, const char* what) {
    if (path.empty()) return;
    if (path == "-") {
      if (of_stdin != nullptr) {
        throw InputError({"-", 1, 1}, fmt::format("standard input can be only one file: it is {} "
                                                  "already, and cannot be {}",
                                                  of_stdin, what));
      }
      of_stdin = what;
    }
    path = rereadable(path, what);
  };
  keep(options.plan.path, "a plan");
  if (options.plan.model) keep(*options.plan.model, "a model");
  if (options.plan.platform) keep(*options.plan.platform, "a platform");
  keep(options.platform.show, "a platform");
  keep(options.gpus.check, "a device");
  keep(options.engines.check, "an engine");
  keep(options.traffic, "a request trace");
  keep(options.collective.platform, "a platform");
  keep(options.collective_batch.file, "a table of collectives");
  keep(options.calibrate.rows, "a table of kernels");
  if (options.operators.kind.empty()) keep(options.operators.batch, "a table of operators");
  keep(options.compare.before, "a result.json or a plan");
  keep(options.compare.after, "a result.json or a plan");
  keep(options.check.expect, "recorded verdicts");
  for (std::string& each : options.search.space["platform"]) keep(each, "a platform");
}

// Whoever reads a platform gets the GPUs that --gpu-at names.
void look_up_gpus(const std::string& command, Options& options) {
  const GpusAtOptions& typed = options.gpus_at;
  options.platform.request.device_folders = typed.devices;
  options.collective_batch.devices = typed.devices;
  if (typed.at.empty()) {
    const bool own_use = command == "platform" || !options.collective_batch.file.empty();
    if (typed.devices.empty() || own_use) return;
    throw InputError({"--devices", 1, 1}, "belongs to --gpu-at PATTERN=GPU");
  }
  const DeviceCatalog catalog(typed.devices);
  for (const std::string& note : catalog.notes()) fmt::print(stderr, "note: {}\n", note);
  std::vector<GpusAt> found;
  found.reserve(typed.at.size());
  for (const std::string& each : typed.at) found.push_back(gpus_at(each, catalog));
  options.plan.gpus_at = found;
  options.collective.gpus_at = found;
  options.platform.gpus_at = found;
}

// Files of the user's that stand for the program's own.
void name_replaced_engines(const Options& options) {
  for (const auto* const folders : {&options.plan.engine_folders,
                                    &options.collective.engine_folders, &options.engines.folders}) {
    if (folders->empty()) continue;
    const EngineCatalog catalog(*folders);
    for (const std::string& note : catalog.notes()) {
      fmt::print(stderr, "note: {}\n", note);
    }
  }
}

// Messages and results are UTF-8.
void check_arguments(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const auto bad = first_unreadable_byte(argument);
    if (!bad) continue;
    throw InputError({fmt::format("argument {}", i), 1, static_cast<int>(*bad) + 1},
                     describe_unreadable(argument[*bad]));
  }
}

int print_help(const CLI::App& app) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  const Command* const command =
      chosen.empty() ? nullptr : command_named(chosen.front()->get_name());
  fmt::print("{}", command == nullptr ? help_of_commands()
                                      : help_text(page_of(*command, *chosen.front())));
  return 0;
}

// Exit code of the chosen command.
int run(int argc, char** argv) {
  const SharedCounters nothing_known(1);
  CommandLine line;
  CLI::App& app = line.app;
  check_arguments(argc, argv);
  const auto name_of_chosen = [&] {
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    return chosen.empty() ? std::string() : chosen.front()->get_name();
  };
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return print_help(app);
  } catch (const CLI::Success& version) {
    return app.exit(version);
  } catch (const CLI::ParseError& error) {
    const std::string unexpected = describe_unexpected(app);
    return refuse_usage(
        unexpected.empty() ? describe_error(error, {argv, argv + argc}) : unexpected,
        name_of_chosen());
  }
  const std::string name = name_of_chosen();
  if (const std::string unexpected = describe_unexpected(app); !unexpected.empty()) {
    return refuse_usage(unexpected, name);
  }
  if (name.empty()) return refuse_usage("a command is missing: " + names_of_commands());
  if (const std::string option = option_without_text(*app.get_subcommands().front());
      !option.empty()) {
    return refuse_usage(fmt::format("{} is empty: give a value, or leave it out", option), name);
  }
  Options& options = line.options;
  check_formats(options);
  const Command* const command = command_named(name);
  if (command != nullptr) {
    options.waiting = std::make_shared<ProgressLine>(name, nothing_known, options.quiet,
                                                     ProgressLine::Of::kCommand);
  }
  make_rereadable(options);
  look_up_gpus(name, options);
  name_replaced_engines(options);
  return (command == nullptr ? search_worker() : *command).run(options);
}

// The files that a program starts with are there, so that none that it opens takes their place. One
// that its caller has closed cannot be used, and says so.
void fill_closed_descriptors() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(file, F_GETFD) >= 0) continue;
    const int got = open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    check_system(got == file, "cannot open /dev/null");
  }
}

int refuse_stdout(const std::string& why) {
  std::fprintf(stderr, "rehearse: error: cannot write to stdout: %s\n", why.c_str());
  return kUsage;
}

int checked_main(int argc, char** argv) {
  try {
    fill_closed_descriptors();
    const int code = run(argc, argv);
    errno = 0;
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    return refuse_stdout(std::generic_category().message(errno == 0 ? EIO : errno));
  } catch (const InputError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return kUsage;
  } catch (const SystemError& error) {
    std::fprintf(stderr, "rehearse: %s\n", error.what());
    return kUsage;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "rehearse: error: this machine has too little memory for the plan\n");
    return kUsage;
  } catch (const std::system_error& error) {  // of {fmt} and the standard library
    if (std::ferror(stdout) != 0) return refuse_stdout(error.code().message());
    std::fprintf(stderr, "rehearse: error: %s\n", error.what());
    return kUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rehearse: internal error, please report it: %s\n", error.what());
    return kBug;
  }
}

}  // namespace
}  // namespace rehearse

// Before the constructors of the libraries, which take some 20 ms: who interrupts a command in that
// time is answered as later, too.
[[gnu::section(".preinit_array"),
  gnu::used]] void (*const kBeforeLibraries)() = rehearse::catch_signals;

int main(int argc, char** argv) {
  const int code = rehearse::checked_main(argc, argv);
  // Not what is left of stdout a second time: that it cannot be written has been said.
  if (std::ferror(stdout) != 0) _exit(code);
  return code;
}
