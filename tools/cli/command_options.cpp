// The options of each command, declared for CLI11: names, help and where the values go. What they
// mean is checked by whoever reads them.
#include "cli/command_options.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "cli/answer.hpp"
#include "input/traces/request_trace.hpp"
#include "plan/layout_fields.hpp"

namespace rehearse {
namespace {

void add_max_time(CLI::App& command, Options& options) {
  command.add_option("--max-time", options.max_time,
                     "refuse a simulation that is estimated to take longer (default 20s)");
}

void add_devices(CLI::App& command, std::vector<std::string>& folders) {
  command
      .add_option("--devices", folders,
                  "folder of device files, which win over those of their name (repeatable)")
      ->allow_extra_args(false);
}

void add_engines(CLI::App& command, std::vector<std::string>& folders) {
  command
      .add_option("--engines", folders,
                  "folder of engine files, which win over those of their name (repeatable)")
      ->allow_extra_args(false);
}

// Of every command that reads a plan: `platform` apart where a search takes several.
void add_common_options(CLI::App& command, Options& options) {
  command.add_option("--variant", options.plan.variant, "a variant that the plan defines");
  command.add_option("--model", options.plan.model,
                     "another model: textproto, config.json or a name (Qwen/Qwen3-32B)");
  command
      .add_option("--set", options.plan.sets, "FIELD=VALUE: change a field of the plan by its path")
      ->allow_extra_args(false);
  command.add_option("--network", options.plan.network,
                     "fluid (default), exact, simgrid or analytic");
  command.add_option("--library", options.plan.library,
                     "library of its collectives (default: the plan's, or the vendor's)");
  command.add_option("--engine", options.plan.engine,
                     "software that runs it: rehearse engines lists them (default: the plan's)");
  add_engines(command, options.plan.engine_folders);
  command.add_option("--seed", options.plan.seed, "seed of everything random");
  command.add_option("--max-memory", options.max_memory,
                     "refuse a simulation that needs more (default: what this machine has free)");
  add_max_time(command, options);
  add_gpus_at(command, options.gpus_at);
  add_formats(command, options);
  add_quiet(command, options);
  command.allow_extras();  // run() says it better
}

void add_change_options(CLI::App& command, Options& options) {
  add_common_options(command, options);
  command.add_option("--platform", options.plan.platform, "another platform (SimGrid XML)");
}

}  // namespace

void add_quiet(CLI::App& command, Options& options) {
  command.add_flag("--quiet", options.quiet, "print nothing but errors");
}

// Of every command that reads a platform.
void add_gpus_at(CLI::App& command, GpusAtOptions& options) {
  command
      .add_option("--gpu-at", options.at,
                  "PATTERN=GPU: hosts of a platform file that are this GPU: 'CUDA*=h100' "
                  "(repeatable)")
      ->allow_extra_args(false);
  add_devices(command, options.devices);
}

void add_plan_options(CLI::App& command, Options& options) {
  command.add_option("PLAN", options.plan.path, "plan file (textproto)")->required();
  add_change_options(command, options);
}

void add_run_options(CLI::App& run, Options& options) {
  run.add_option("--out", options.out, "directory for result.json, trace.json.gz and report.html");
  run.add_flag("--explain", options.explain,
               "print definitions, the terms of each number, and what would help most");
  run.add_flag("--no-uniform-run", options.no_uniform_run,
               "do not simulate uniform routing as well, to say what imbalance costs");
  run.add_option(
      "--detail", options.detail,
      "of a plan that serves: steps (each at its price; the default) or operators (those of its "
      "steps replayed, too; the default with --trace-window, of what is in it)");
  run.add_option("--seeds", options.seeds,
                 "of a plan that serves: simulate so many seeds, from the plan's on, for the mean "
                 "and the spread of its figures (default 1)");
  run.add_option("--fold", options.fold,
                 "auto (default): simulate replicas that are alike once; off");
  run.add_option("--trace-ranks", options.trace_ranks, "ranks in the trace: 0-7,16");
  run.add_option("--trace-window", options.trace_window, "time in the trace: 0s..2s");
}

void add_check_options(CLI::App& check, Options& options) {
  check.add_flag("--explain", options.explain,
                 "add the critical path to the terms of refuted times");
  check.add_option("--junit", options.check.junit, "write the judgements as JUnit XML");
  check.remove_option(check.get_option("--markdown"));
  check
      .add_option_function<std::vector<std::string>>(
          "--markdown",
          [&options](const std::vector<std::string>& file) {
            options.check.markdown = file.front();
            options.markdown = file.front().empty();
          },
          "write them as a pull-request comment; without FILE print it")
      ->type_name("[FILE]")
      ->expected(0, 1);
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

void add_gpus_options(CLI::App& gpus, Options& options) {
  gpus.add_option("NAME", options.gpus.name, "show every number of this GPU, and its source");
  gpus.add_option("--check", options.gpus.check, "check a device file of your own");
  add_devices(gpus, options.gpus.devices);
  add_formats(gpus, options);
  gpus.allow_extras();
}

void add_traffic_options(CLI::App& traffic, Options& options) {
  traffic
      .add_option("FILE", options.traffic,
                  "a trace, or a plan that has one: " + names_of_trace_formats())
      ->required();
  add_formats(traffic, options);
  add_quiet(traffic, options);
}

void add_engines_options(CLI::App& engines, Options& options) {
  engines.add_option("NAME", options.engines.name,
                     "show every number of this engine, and its source");
  engines.add_option("--check", options.engines.check, "check an engine file of your own");
  add_engines(engines, options.engines.folders);
  add_formats(engines, options);
  engines.allow_extras();
}

void add_platform_options(CLI::App& platform, PlatformOptions& options) {
  platform.add_option("--gpu", options.request.gpu, "kind of GPU: rehearse gpus lists them");
  platform.add_option("--nodes", options.nodes, "servers, or racks of NVL72; of a TPU, hosts");
  platform.add_option("--fabric", options.request.fabric,
                      "star, rail, leaf-spine, fat-tree, torus or dragonfly");
  platform.add_option("--gpus-per-node", options.request.gpus_per_node, "fewer than the kind has");
  platform.add_option("--oversubscription", options.request.oversubscription,
                      "bandwidth below a switch over that above it (default 1)");
  platform.add_option("--nics", options.request.nics,
                      "NICs of a server (default: the device file's): 4 for 8 GPUs, 8 for 1");
  platform.add_option("--nic", options.request.nic, "bandwidth of a NIC, one direction: 400Gbps");
  platform.add_option("--network-share", options.request.network_share,
                      "share of the NICs' rate that transfers reach on this network (default: the "
                      "device file's, with its own NICs)");
  platform.add_flag("--unbridged", options.request.unbridged,
                    "PCIe cards without their NVLink bridges");
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
  collective.add_option("--platform", typed.platform, "SimGrid XML");
  collective.add_option("--batch", options.collective_batch.file,
                        "price the rows of this CSV file instead: op, gpu or platform, ranks, "
                        "ranks_per_node, bytes, ...");
  collective.add_flag("--terms", options.collective_batch.terms,
                      "with --batch: what each time is made of, for tools/fit");
  collective.add_option("--op", typed.op,
                        "all_reduce (default), all_gather, send_recv, ...; nccl-tests' names, too");
  collective.add_option("--bytes", typed.bytes,
                        "size of the array, or FIRST..LAST, doubling (default 8KB..1GB)");
  NcclTestsSizes& sizes = typed.nccl_tests;
  collective.add_option("-b,--minbytes", sizes.first,
                        "as nccl-tests: first size, 8, 64K, 128M (powers of 1,024; default 32M)");
  collective.add_option("-e,--maxbytes", sizes.last, "last size (default 32M)");
  collective.add_option("-f,--stepfactor", sizes.factor, "each size is so many times the last");
  collective.add_option("-i,--stepbytes", sizes.step, "or so much larger (default 1M)");
  collective.add_option("--ranks", typed.ranks, "GPUs that take part (default: all)");
  collective.add_option("--groups", typed.groups, "equal groups that run it at once (default: 1)");
  collective.add_flag("--explain", typed.explain,
                      "say what its time is made of, which way it took and what is full");
  collective.add_flag("--strided", typed.strided, "a group's members are ranks / members apart");
  collective.add_option("--algorithm", typed.algorithm, "auto (default), ring, two_level, ...");
  collective.add_option("--library", typed.library,
                        "whose algorithms, protocols and choices (default: the GPUs' vendor's): " +
                            names_of_libraries());
  collective.add_option("--engine", typed.engine,
                        "software that calls it: its library where none is named, and its time "
                        "for each call; rehearse engines lists them");
  add_engines(collective, typed.engine_folders);
  collective.add_option("--protocol", typed.protocol, "ll, ll128 or simple, where it has them");
  collective.add_option("--channels", typed.channels, "rings, trees and the like side by side");
  collective.add_option("--launch", typed.launch, "in place of the library's launch: 5us");
  collective.add_option("--splits", typed.splits,
                        "all_to_all: what each member gets of every buffer, by weight: 4:2:1:1");
  collective.add_option(
      "--experts", typed.experts,
      "all_to_all: the buffers are copies of tokens for 8/256 (8 of 256) experts");
  collective.add_option("--network", typed.network, "fluid (default), exact, simgrid or analytic");
  collective.add_option(
      "--max-memory", options.max_memory,
      "refuse a simulation that needs more (default: what this machine has free)");
  add_formats(collective, options);
  add_quiet(collective, options);
  add_max_time(collective, options);
  add_gpus_at(collective, options.gpus_at);
  collective.allow_extras();
}

void add_calibrate_options(CLI::App& command, Options& options) {
  CalibrateOptions& typed = options.calibrate;
  command
      .add_option("ROWS", typed.rows,
                  "CSV: the columns of operator --batch, and measured_us; three are enough")
      ->required();
  command.add_option("--gpu", typed.gpu, "whose device file is changed")->required();
  command.add_option("--date", typed.date, "when it was measured: 2026, 2026-11 or 2026-11-27")
      ->required();
  command.add_option("--name", typed.name, "of the new device file (default: that of the old)");
  command.add_option("--out", typed.out, "write the device file: NAME.textproto");
  add_devices(command, typed.devices);
  command.allow_extras();
}

// A number of an operator is an option of its column's name.
void add_operator_options(CLI::App& command, Options& options) {
  OperatorOptions& typed = options.operators;
  command.add_option("KIND", typed.kind, names_of_operator_kinds());
  command.add_option("--batch", typed.batch,
                     "price the rows of this CSV file; with KIND: attention's sequences");
  command.add_option("--gpu", typed.gpu, "kind of GPU: rehearse gpus lists them");
  for (const OperatorColumn& column : operator_columns()) {
    const std::string name = column.name;
    if (name == "kind" || name == "gpu" || name == "batch") continue;
    std::string option = name;
    std::replace(option.begin(), option.end(), '_', '-');
    std::string names = "--" + option;
    if (option != name) names += ",--" + name;
    command.add_option_function<std::string>(
        names,
        [&typed, name](const std::string& value) { typed.numbers.emplace_back(name, value); },
        column.meaning);
  }
  command.add_flag("--terms", typed.terms,
                   "with --batch: what each time is made of, for tools/fit");
  add_formats(command, options);
  add_quiet(command, options);
  add_devices(command, typed.devices);
  command.allow_extras();
}

void add_size_options(CLI::App& size, Options& options) {
  size.add_option("--seeds", options.seeds,
                  "find the largest rate of so many seeds, from the plan's on (default 1)");
  size.add_option("--out", options.out, "directory for size.json");
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
  field("quantization", "weight_dtype=fp8,kv_dtype=fp8, or plan; may be repeated");
  field("objective",
        "throughput, ttft, tpot, gpu_hours, output_cost, goodput, ...; may be repeated");
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
  show.get_option("PLAN")->required(false)->description(
      "plan file (textproto); without one --model says what to show");
  show.add_option("--context", options.context,
                  "without a plan: tokens of a sequence (default 8192, or the model's longest)");
  show.add_option("--dump", options.dump,
                  "graph: operators of one pass per stage; program: instructions")
      ->check(CLI::IsMember({"graph", "program"}));
}

}  // namespace rehearse
