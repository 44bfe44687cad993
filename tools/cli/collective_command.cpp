#include <fmt/format.h>

#include "base/error.hpp"
#include "catalog/device_catalog.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/limits.hpp"
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

}  // namespace

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
  const std::string rows = price_collective_batch(batch, limits_of(options));
  const auto csv = [&] { return rows; };
  print_answer(options,
               {csv, [&] { return batch_json(rows); }, [&] { return batch_cells(rows); }, csv});
  return 0;
}

}  // namespace rehearse
