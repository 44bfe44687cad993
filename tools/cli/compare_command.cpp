#include <fmt/format.h>

#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/limits.hpp"
#include "cli/option_group.hpp"
#include "commands/compare.hpp"
#include "compare/report.hpp"

namespace rehearse {

void add_compare_options(CLI::App& command, Options& options) {
  OptionGroup in(command, kIn);
  in.value("OLD", options.compare.before, "FILE", "a result.json, or a plan, which is run")
      ->required();
  in.value("NEW", options.compare.after, "FILE", "a result.json, or a plan, which is run")
      ->required();
  add_change_options(command, options);
  OptionGroup(command, "What is asked")
      .repeated("--tolerance", options.compare.tolerances, "[FIELD=]VALUE",
                "what may move unjudged, of all fields or of one: 1%, ttft_s=2ms, "
                "memory.peak_bytes=10MB (default: 1%)");
}

int compare_command(const Options& options) {
  CompareRequest request;
  request.before = options.compare.before;
  request.after = options.compare.after;
  request.changes = options.plan;
  request.tolerances = options.compare.tolerances;
  request.limits = limits_of(options);
  request.quiet = options.quiet;
  const ResultComparison comparison = compare_results(request);
  print_answer(options, {[&] {
                           return fmt::format("{} -> {}\n{}", request.before, request.after,
                                              compare_table(comparison));
                         },
                         [&] { return compare_json(comparison); },
                         [&] { return compare_rows(comparison); }});
  return comparison.regressed() ? 1 : 0;
}

}  // namespace rehearse
