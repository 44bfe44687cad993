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
#include "cli/commands.hpp"
#include "plan/layout_fields.hpp"

namespace rehearse {
namespace {

constexpr int kUsage = 2;
constexpr int kBug = 3;

void add_max_time(CLI::App& command, Options& options) {
  command.add_option("--max-time", options.max_time,
                     "refuse a simulation that is estimated to take longer (default 20s)");
}

// Of every command that reads a plan: `platform` apart where a search takes several.
void add_common_options(CLI::App& command, Options& options) {
  command.add_option("--variant", options.plan.variant, "a variant that the plan defines");
  command.add_option("--model", options.plan.model, "another model: textproto or config.json");
  command
      .add_option("--set", options.plan.sets, "FIELD=VALUE: change a field of the plan by its path")
      ->allow_extra_args(false);
  command.add_option("--network", options.plan.network,
                     "fluid (default), exact, simgrid or analytic");
  command.add_option("--seed", options.plan.seed, "seed of everything random");
  command.add_option("--max-memory", options.max_memory,
                     "refuse a simulation that needs more (default: what this machine has free)");
  add_max_time(command, options);
  command.add_flag("--json", options.json, "print the result as JSON");
  command.add_flag("--quiet", options.quiet, "print nothing but errors");
  command.allow_extras();  // run() says it better
}

void add_change_options(CLI::App& command, Options& options) {
  add_common_options(command, options);
  command.add_option("--platform", options.plan.platform, "another platform (SimGrid XML)");
}

void add_plan_options(CLI::App& command, Options& options) {
  command.add_option("PLAN", options.plan.path, "plan file (textproto)")->required();
  add_change_options(command, options);
}

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

void add_run_options(CLI::App& run, Options& options) {
  run.add_option("--out", options.out, "directory for result.json, trace.json.gz and report.html");
  run.add_flag("--explain", options.explain,
               "print definitions, the terms of each number, and what would help most");
  run.add_flag("--no-uniform-run", options.no_uniform_run,
               "do not simulate uniform routing as well, to say what imbalance costs");
  run.add_option("--fold", options.fold,
                 "auto (default): simulate replicas that are alike once; off");
  run.add_option("--trace-ranks", options.trace_ranks, "ranks in the trace: 0-7,16");
  run.add_option("--trace-window", options.trace_window, "time in the trace: 0s..2s");
}

void add_check_options(CLI::App& check, Options& options) {
  check.add_flag("--explain", options.explain,
                 "add the critical path to the terms of refuted times");
  check.add_option("--junit", options.check.junit, "write the judgements as JUnit XML");
  check.add_option("--markdown", options.check.markdown, "write them as a pull-request comment");
  check.add_option("--html", options.check.html, "write them as a page for a browser");
  check.add_option("--record", options.check.record, "write today's verdicts for --expect");
  check.add_option("--expect", options.check.expect, "fail on a change of these verdicts only");
  check.add_option("--claim", options.check.claims, "judge only this claim (repeatable)")
      ->allow_extra_args(false);
}

void add_compare_options(CLI::App& compare, Options& options) {
  compare.add_option("OLD", options.compare.before, "result.json, or a plan")->required();
  compare.add_option("NEW", options.compare.after, "result.json, or a plan")->required();
  add_change_options(compare, options);
  compare
      .add_option("--tolerance", options.compare.tolerances,
                  "VALUE, or FIELD=VALUE: what may move unjudged, 1%, 2ms, 10MB (default: 1%)")
      ->allow_extra_args(false);
}

void add_platform_options(CLI::App& platform, PlatformOptions& options) {
  platform.add_option("--gpu", options.request.gpu, "kind of GPU (platforms/README.md)");
  platform.add_option("--nodes", options.nodes, "servers, or racks of NVL72");
  platform.add_option("--fabric", options.request.fabric,
                      "star, rail, leaf-spine, fat-tree, torus or dragonfly");
  platform.add_option("--gpus-per-node", options.request.gpus_per_node, "fewer than the kind has");
  platform.add_option("--oversubscription", options.request.oversubscription,
                      "bandwidth below a switch over that above it (default 1)");
  platform.add_option("--nic", options.request.nic, "bandwidth per GPU and direction: 400Gbps");
  platform.add_option(
      "--price", options.price,
      "US dollars per GPU and hour, its share of the network included (default: a list price)");
  platform.add_option("--out", options.out, "file to write (default: stdout)");
  platform.add_option("--show", options.show, "describe this platform file instead");
  platform.add_option("--from", options.from, "with --show: the route from this GPU");
  platform.add_option("--to", options.to, "with --show: the route to this GPU");
  platform.allow_extras();
}

void add_collective_options(CLI::App& collective, Options& options) {
  CollectiveOptions& typed = options.collective;
  collective.add_option("--platform", typed.platform, "SimGrid XML")->required();
  collective.add_option("--op", typed.op, "all_reduce (default), all_gather, all_to_all, ...");
  collective.add_option("--bytes", typed.bytes,
                        "size of the array, or FIRST..LAST, doubling (default 8KB..1GB)");
  collective.add_option("--ranks", typed.ranks, "GPUs that take part (default: all)");
  collective.add_option("--groups", typed.groups, "equal groups that run it at once (default: 1)");
  collective.add_flag("--strided", typed.strided, "a group's members are ranks / members apart");
  collective.add_option("--algorithm", typed.algorithm, "auto (default), ring, two_level, ...");
  collective.add_option("--splits", typed.splits,
                        "all_to_all: what each member gets of every buffer, by weight: 4:2:1:1");
  collective.add_option(
      "--experts", typed.experts,
      "all_to_all: the buffers are copies of tokens for 8/256 (8 of 256) experts");
  collective.add_option("--network", typed.network, "fluid (default), exact, simgrid or analytic");
  collective.add_option(
      "--max-memory", options.max_memory,
      "refuse a simulation that needs more (default: what this machine has free)");
  add_max_time(collective, options);
  collective.allow_extras();
}

// Of a search, and of its workers, which must read the same plan and space.
void add_search_options(CLI::App& search, Options& options) {
  SearchOptions& typed = options.search;
  search.add_option("PLAN", options.plan.path, "plan file (textproto)")->required();
  add_common_options(search, options);
  const auto field = [&](const std::string& name, const std::string& what) {
    search.add_option(option_of(name), typed.space[name], what)->allow_extra_args(false);
  };
  field("gpus", "numbers of GPUs: 16..40 (default: up to the platform's)");
  field("max_gpus", "no more GPUs than this");
  for (const LayoutField& each : kLayoutFields) {
    if (each.searched != SearchedAs::kNever)
      field(std::string(each.name()), std::string(each.option));
  }
  field("order", "a rank order; may be repeated");
  field("platform", "a platform (SimGrid XML); may be repeated");
  field("collectives", "OPERATION=ALGORITHM,...; may be repeated");
  field("objective", "throughput, ttft, tpot, gpu_hours, ...; may be repeated");
  field("constraint", "'ttft_s.p99 <= 6'; may be repeated");
  search.add_option("--timeout", typed.timeout, "of one simulation (default 600s)");
  search.add_option("--top", typed.top, "rows by the first objective (default 10)");
  search.add_option("--workers", typed.workers, "processes (default: one per core)");
  search.add_option("--journal", typed.journal, "file that a killed search goes on from");
  search.add_option("--why-not", typed.why_not, "DEGREE=NUMBER,...: what became of such layouts");
  search.add_flag("--exhaustive", typed.exhaustive, "simulate every legal layout");
  search.add_flag("--no-skew", typed.no_skew, "do not show how the rows do with uneven experts");
  search.add_option("--out", options.out, "directory for search.json and report.html");
  search.add_option("--worker-sockets", typed.worker_sockets)->group("");
}

void add_show_options(CLI::App& show, Options& options) {
  show.add_option("--dump", options.dump,
                  "graph: operators of one pass per stage; program: instructions")
      ->check(CLI::IsMember({"graph", "program"}));
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
     [](CLI::App& command, Options& options) { add_platform_options(command, options.platform); },
     platform_command},
    {"collective", "time a collective: the table of nccl-tests", add_collective_options,
     collective_command},
    {"balance", "is re-balancing experts, or copying them, worth it?", add_plan_options,
     balance_command},
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
  const auto keep = [](std::string& path, const char* what) {
    if (!path.empty()) path = rereadable(path, what);
  };
  keep(options.plan.path, "a plan");
  if (options.plan.model) keep(*options.plan.model, "a model");
  if (options.plan.platform) keep(*options.plan.platform, "a platform");
  keep(options.platform.show, "a platform");
  keep(options.collective.platform, "a platform");
  keep(options.compare.before, "a result.json or a plan");
  keep(options.compare.after, "a result.json or a plan");
  keep(options.check.expect, "recorded verdicts");
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
    const std::vector<std::string>& given = option->results();
    if (std::find(given.begin(), given.end(), "") != given.end()) return option->get_name();
  }
  return {};
}

// Exit code of the chosen command.
int run(int argc, char** argv) {
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
  make_rereadable(options);
  const std::string name = app.get_subcommands().front()->get_name();
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
