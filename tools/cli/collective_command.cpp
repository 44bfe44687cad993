#include <fmt/format.h>

#include "base/error.hpp"
#include "catalog/device_catalog.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/limits.hpp"
#include "cli/option_group.hpp"
#include "collectives/library.hpp"
#include "collectives/operation.hpp"
#include "commands/batch_table.hpp"
#include "commands/collective.hpp"
#include "commands/collective_batch.hpp"
#include "commands/collective_formats.hpp"

namespace rehearse {
namespace {

// What one collective is told, and the rows of a batch say themselves.
void refuse_beside_batch(const Options& options) {
  const CollectiveOptions& typed = options.collective;
  const CollectiveOptions untouched;
  for (const auto& [given, name] :
       {std::pair{!typed.platform.empty(), "--platform"},
        std::pair{typed.op != untouched.op, "--op"}, std::pair{typed.bytes.has_value(), "--bytes"},
        std::pair{typed.nccl_tests.given(), "-b -e -f -i"},
        std::pair{typed.ranks.has_value(), "--ranks"},
        std::pair{typed.groups.has_value(), "--groups"}, std::pair{typed.strided, "--strided"},
        std::pair{typed.algorithm != untouched.algorithm, "--algorithm"},
        std::pair{typed.protocol.has_value(), "--protocol"},
        std::pair{typed.channels.has_value(), "--channels"},
        std::pair{typed.launch.has_value(), "--launch"},
        std::pair{!typed.splits.empty(), "--splits"},
        std::pair{!typed.experts.empty(), "--experts"},
        std::pair{typed.network != untouched.network, "--network"},
        std::pair{typed.explain, "--explain"},
        std::pair{!options.gpus_at.at.empty(), "--gpu-at"}}) {
    if (given) throw InputError({name, 1, 1}, "belongs to one collective, not to --batch");
  }
}

void add_sizes(CLI::App& command, CollectiveOptions& typed) {
  OptionGroup size(command, "Which sizes");
  size.value("--bytes", typed.bytes, "SIZE[..SIZE]",
             "size of the array, 64MB, or from the first, doubling, to the last (default: "
             "8KB..1GB)");
  NcclTestsSizes& sizes = typed.nccl_tests;
  size.value("-b,--minbytes", sizes.first, "SIZE",
             "as nccl-tests: the first size, 8, 64K, 128M, 1G, powers of 1,024, without a unit "
             "bytes (default: 32M)");
  size.value("-e,--maxbytes", sizes.last, "SIZE", "the last size (default: 32M)");
  size.value("-f,--stepfactor", sizes.factor, "N", "each size is so many times the one before");
  size.value("-i,--stepbytes", sizes.step, "SIZE", "or so much larger (default: 1M)");
}

}  // namespace

void add_collective_options(CLI::App& command, Options& options) {
  CollectiveOptions& typed = options.collective;
  OptionGroup in(command, kIn);
  in.value("--platform", typed.platform, "FILE",
           "the cluster, SimGrid XML as `rehearse platform` writes it");
  in.value("--batch", options.collective_batch.file, "FILE",
           "price the rows of this CSV file instead: op, gpu or platform, ranks, "
           "ranks_per_node, bytes, ...");
  OptionGroup what(command, "Which collective");
  what.value("--op", typed.op, "OP",
             names_of_collective_ops() +
                 "; nccl-tests' names, too: allreduce (default: "
                 "all_reduce)");
  what.value("--ranks", typed.ranks, "N", "GPUs that take part (default: all)");
  what.value("--groups", typed.groups, "N", "equal groups that run it at once (default: 1)");
  what.flag("--strided", typed.strided, "a group's members are ranks / members apart");
  what.value("--splits", typed.splits, "N:N...",
             "all_to_all: what each member gets of every buffer, by weight: 4:2:1:1 (default: "
             "the same)");
  what.value("--experts", typed.experts, "N/N",
             "all_to_all: the buffers are copies of tokens for 8/256 (8 of 256) experts");
  add_sizes(command, typed);
  OptionGroup how(command, "How it runs");
  how.value("--library", typed.library, "LIBRARY",
            "whose algorithms, protocols and choices: " + names_of_libraries() +
                " (default: the engine's, else that of the GPUs' vendor)");
  how.value("--algorithm", typed.algorithm, "ALGORITHM",
            "auto, ring, tree, two_level, ... (default: auto, the library's choice)");
  how.value("--protocol", typed.protocol, "PROTOCOL",
            "ll, ll128 or simple, where the library has them (default: its choice)");
  how.value("--channels", typed.channels, "N",
            "rings, trees and the like side by side (default: the library's choice)");
  how.value("--launch", typed.launch, "TIME", "what a start takes: 5us (default: the library's)");
  how.value("--engine", typed.engine, "ENGINE",
            "software that calls it: its library where none is named, and its time for each call; "
            "`rehearse engines` lists them (default: none)");
  how.value("--network", typed.network, "LEVEL",
            "how transfers share links: fluid, exact, simgrid or analytic (default: fluid)");
  add_engines(command, typed.engine_folders);
  add_gpus_at(command, options.gpus_at);
  OptionGroup out(command, kOut);
  out.flag("--explain", typed.explain,
           "say what its time is made of, which way it took and what is full");
  out.flag("--terms", options.collective_batch.terms,
           "with --batch: what each time is made of, for tools/fit");
  add_max_time(command, options);
  add_formats(command, options);
  add_quiet(command, options);
  add_max_memory(command, options);
}

int collective_command(const Options& options) {
  if (options.collective_batch.file.empty()) {
    if (options.collective.platform.empty()) {
      throw InputError({"rehearse collective", 1, 1}, "needs --platform FILE, or --batch FILE");
    }
    CollectiveOptions typed = options.collective;
    typed.quiet = options.quiet;
    const CollectiveTable table = time_collectives(typed, limits_of(options));
    print_answer(options, {[&] { return collective_text(options.collective, table); },
                           [&] { return collective_json(options.collective, table); },
                           [&] { return collective_cells(table); }});
    return 0;
  }
  refuse_beside_batch(options);
  CollectiveBatchOptions batch = options.collective_batch;
  batch.quiet = options.quiet;
  batch.library = options.collective.library;
  batch.engine = options.collective.engine;
  batch.engine_folders = options.collective.engine_folders;
  const DeviceCatalog catalog(batch.devices);
  for (const std::string& note : catalog.notes()) fmt::print(stderr, "note: {}\n", note);
  std::string rows = price_collective_batch(batch, limits_of(options));
  const auto csv = [&] { return rows; };
  print_answer(options,
               {csv, [&] { return batch_json(rows); }, [&] { return batch_cells(rows); }, csv});
  return 0;
}

}  // namespace rehearse
