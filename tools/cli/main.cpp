#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
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
#include "cli/command_options.hpp"
#include "cli/commands.hpp"
#include "input/read_engine.hpp"

namespace rehearse {
namespace {

constexpr int kUsage = 2;
constexpr int kBug = 3;

int refuse_usage(const std::string& what) {
  fmt::print(stderr, "rehearse: error: {} (rehearse --help lists what there is)\n", what);
  return kUsage;
}

// How often an option stands among the words of the command line.
long times_given(const std::string& option, const std::vector<std::string>& words) {
  return std::count_if(words.begin(), words.end(), [&](const std::string& word) {
    return word == option || word.starts_with(option + "=");
  });
}

// CLI11's own words, but for those that name no rule.
int refuse_usage(const CLI::ParseError& error, const std::vector<std::string>& words) {
  const std::string what = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) == nullptr) return refuse_usage(what);
  const std::string option = what.substr(0, what.find(':'));
  const long times = times_given(option, words);
  if (times > 1) {
    return refuse_usage(fmt::format("{} is given {} times: give it once", option, times));
  }
  return refuse_usage(fmt::format("{} needs a value", option));
}

struct Command {
  const char* name;
  const char* purpose;
  void (*add_options)(CLI::App& command, Options& options);
  int (*run)(const Options& options);
};

template <auto kAdd>
void with_plan(CLI::App& command, Options& options) {
  add_plan_options(command, options);
  kAdd(command, options);
}

// In the order of the help.
constexpr Command kCommands[] = {
    {"run", "simulate one plan", with_plan<add_run_options>, run_command},
    {"check", "judge the claims about a plan", with_plan<add_check_options>, check_command},
    {"compare", "what moved between two results", add_compare_options, compare_command},
    {"show", "what a plan means, without simulating", with_plan<add_show_options>, show_command},
    {"platform", "write or describe a platform file",
     [](CLI::App& command, Options& options) {
       add_platform_options(command, options.platform);
       add_gpus_at(command, options.gpus_at);
       add_formats(command, options);
       add_quiet(command, options);
     },
     platform_command},
    {"gpus", "the device catalogue: what GPUs can do, and who says so", add_gpus_options,
     gpus_command},
    {"engines", "the engines: what software adds to the times of kernels, and who says so",
     add_engines_options, engines_command},
    {"operator", "price a kernel on a GPU, or a table of them", add_operator_options,
     operator_command},
    {"calibrate", "measured kernels of a GPU: a device file of its own", add_calibrate_options,
     calibrate_command},
    {"collective", "time a collective: the table of nccl-tests", add_collective_options,
     collective_command},
    {"balance", "is re-balancing experts, or copying them, worth it?", add_plan_options,
     balance_command},
    {"traffic", "what a trace of requests asks for", add_traffic_options, traffic_command},
    {"size",
     "serving: the largest rate under the SLO, the fewest GPUs for a rate, what breaks first",
     with_plan<add_size_options>, size_command},
    {"search", "rank candidate layouts", add_search_options, search_command}};

// What a search starts; not in the help.
constexpr Command kSearchWorker = {"search-worker", "", add_search_options, search_worker_command};

// "run, check or search"
std::string names_of_commands() {
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  const std::string last = names.back();
  names.pop_back();
  return fmt::format("{} or {}", fmt::join(names, ", "), last);
}

CLI::App* add_command(CLI::App& app, const Command& command, Options& options) {
  CLI::App* const added = app.add_subcommand(command.name, command.purpose);
  command.add_options(*added, options);
  return added;
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

// The first option that is given the empty word, as a script does whose variable is not set.
std::string option_without_text(const CLI::App& command) {
  for (const CLI::Option* const option : command.get_options()) {
    if (option->get_expected_min() == 0) continue;  // its value may be left out
    const std::vector<std::string>& given = option->results();
    if (std::find(given.begin(), given.end(), "") != given.end()) return option->get_name();
  }
  return {};
}

// Exit code of the chosen command.
int run(int argc, char** argv) {
  const SharedCounters nothing_known(1);
  Options options;
  CLI::App app{"Rehearse a GPU cluster before you buy it."};
  app.allow_extras();
  app.set_version_flag("--version", REHEARSE_VERSION);
  for (const Command& command : kCommands) add_command(app, command, options);
  add_command(app, kSearchWorker, options)->group("");

  check_arguments(argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    return refuse_usage(error, {argv, argv + argc});
  }
  const std::vector<std::string> unexpected = app.remaining(/*recurse=*/true);
  const bool chosen = !app.get_subcommands().empty();
  if (!unexpected.empty()) {
    return refuse_usage(
        fmt::format("unexpected {}{}", chosen ? "" : "command ", fmt::join(unexpected, " ")));
  }
  if (!chosen) return refuse_usage("a command is missing: " + names_of_commands());
  if (const std::string option = option_without_text(*app.get_subcommands().front());
      !option.empty()) {
    return refuse_usage(fmt::format("{} is empty: give a value, or leave it out", option));
  }
  check_formats(options);
  const std::string name = app.get_subcommands().front()->get_name();
  if (name != kSearchWorker.name) {
    options.waiting = std::make_shared<ProgressLine>(name, nothing_known, options.quiet,
                                                     ProgressLine::Of::kCommand);
  }
  make_rereadable(options);
  look_up_gpus(name, options);
  name_replaced_engines(options);
  for (const Command& command : kCommands) {
    if (name == command.name) return command.run(options);
  }
  return kSearchWorker.run(options);
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
