#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>
#include <vector>

#include "base/error.hpp"
#include "cli/commands.hpp"

namespace rehearse {
namespace {

constexpr int kUsage = 2;
constexpr int kBug = 3;

void add_plan_options(CLI::App& command, Options& options) {
  command.add_option("PLAN", options.plan.path, "plan file (textproto)")->required();
  command.add_option("--variant", options.plan.variant, "a variant that the plan defines");
  command.add_option("--model", options.plan.model, "another model: textproto or config.json");
  command.add_option("--platform", options.plan.platform, "another platform (SimGrid XML)");
  command
      .add_option("--set", options.plan.sets, "FIELD=VALUE: change a field of the plan by its path")
      ->allow_extra_args(false);
  command.add_option("--network", options.plan.network, "fluid (default), exact or analytic");
  command.add_option("--seed", options.plan.seed, "seed of everything random");
  command.add_option("--max-memory", options.max_memory,
                     "refuse a simulation that needs more (default: what this machine has free)");
  command.allow_extras();  // run() says it better
}

int refuse_usage(const std::string& what) {
  fmt::print(stderr, "rehearse: error: {} (rehearse --help lists what there is)\n", what);
  return kUsage;
}

// CLI11's own words, but for those that name no rule.
int refuse_usage(const CLI::ParseError& error) {
  const std::string what = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) == nullptr) return refuse_usage(what);
  return refuse_usage(fmt::format("{} needs a value", what.substr(0, what.find(':'))));
}

void add_run_options(CLI::App& run, Options& options) {
  run.add_option("--out", options.out, "directory for result.json and trace.json.gz");
  run.add_flag("--json", options.json, "print result.json instead of the summary");
  run.add_flag("--quiet", options.quiet, "print nothing but errors");
  run.add_flag("--explain", options.explain, "print each line's definition");
  run.add_option("--trace-ranks", options.trace_ranks, "ranks in the trace: 0-7,16");
  run.add_option("--trace-window", options.trace_window, "time in the trace: 0s..2s");
}

void add_platform_options(CLI::App& platform, PlatformOptions& options) {
  platform.add_option("--gpu", options.request.gpu, "kind of GPU (platforms/README.md)");
  platform.add_option("--nodes", options.request.nodes, "servers, or racks of NVL72");
  platform.add_option("--fabric", options.request.fabric,
                      "star, rail, leaf-spine, fat-tree, torus or dragonfly");
  platform.add_option("--gpus-per-node", options.request.gpus_per_node, "fewer than the kind has");
  platform.add_option("--oversubscription", options.request.oversubscription,
                      "bandwidth below a switch over that above it (default 1)");
  platform.add_option("--nic", options.nic, "bandwidth per GPU and direction: 400Gbps");
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
  collective.add_option("--bytes", typed.bytes, "size of the array, or FIRST..LAST, doubling");
  collective.add_option("--ranks", typed.ranks, "GPUs that take part (default: all)");
  collective.add_option("--groups", typed.groups, "equal groups that run it at once (default: 1)");
  collective.add_flag("--strided", typed.strided, "a group's members are ranks / members apart");
  collective.add_option("--algorithm", typed.algorithm, "auto (default), ring, two_level, ...");
  collective.add_option("--network", typed.network, "fluid (default), exact or analytic");
  collective.add_option(
      "--max-memory", options.max_memory,
      "refuse a simulation that needs more (default: what this machine has free)");
  collective.allow_extras();
}

// Exit code of the chosen command.
int run(int argc, char** argv) {
  Options options;
  CLI::App app{"Rehearse a GPU cluster before you buy it."};
  app.allow_extras();
  app.set_version_flag("--version", REHEARSE_VERSION);

  CLI::App* const run = app.add_subcommand("run", "simulate one plan");
  add_plan_options(*run, options);
  add_run_options(*run, options);

  CLI::App* const show = app.add_subcommand("show", "what a plan means, without simulating");
  add_plan_options(*show, options);
  show->add_option("--dump", options.dump,
                   "graph: operators of one pass per stage; program: instructions")
      ->check(CLI::IsMember({"graph", "program"}));

  CLI::App* const platform = app.add_subcommand("platform", "write or describe a platform file");
  add_platform_options(*platform, options.platform);

  CLI::App* const collective =
      app.add_subcommand("collective", "time a collective: the table of nccl-tests");
  add_collective_options(*collective, options);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    return refuse_usage(error);
  }
  const std::vector<std::string> unexpected = app.remaining(/*recurse=*/true);
  const bool chosen = run->parsed() || show->parsed() || platform->parsed() || collective->parsed();
  if (!unexpected.empty()) {
    return refuse_usage(
        fmt::format("unexpected {}{}", chosen ? "" : "command ", fmt::join(unexpected, " ")));
  }
  if (!chosen) return refuse_usage("a command is missing: run, show, platform or collective");
  if (platform->parsed()) return platform_command(options);
  if (collective->parsed()) return collective_command(options);
  return run->parsed() ? run_command(options) : show_command(options);
}

}  // namespace
}  // namespace rehearse

int main(int argc, char** argv) {
  try {
    const int code = rehearse::run(argc, argv);
    if (std::fflush(stdout) == 0) return code;
    std::perror("rehearse: error: cannot write to stdout");
    return rehearse::kUsage;
  } catch (const rehearse::InputError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return rehearse::kUsage;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "rehearse: error: this machine has too little memory for the plan\n");
    return rehearse::kUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rehearse: internal error, please report it: %s\n", error.what());
    return rehearse::kBug;
  }
}
