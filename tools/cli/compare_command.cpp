#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/limits.hpp"
#include "commands/compare.hpp"
#include "compare/report.hpp"

namespace rehearse {

int compare_command(const Options& options) {
  CompareRequest request;
  request.before = options.compare.before;
  request.after = options.compare.after;
  request.changes = options.plan;
  request.tolerances = options.compare.tolerances;
  request.limits = limits_of(options);
  request.quiet = options.quiet;
  const ResultComparison comparison = compare_results(request);
  if (options.json) {
    fmt::print("{}", compare_json(comparison));
  } else if (!options.quiet) {
    fmt::print("{} -> {}\n{}", request.before, request.after, compare_table(comparison));
  }
  return comparison.regressed() ? 1 : 0;
}

}  // namespace rehearse
