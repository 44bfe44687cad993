#include <fmt/format.h>

#include "cli/answer.hpp"
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
  print_answer(options, {[&] {
                           return fmt::format("{} -> {}\n{}", request.before, request.after,
                                              compare_table(comparison));
                         },
                         [&] { return compare_json(comparison); },
                         [&] { return compare_rows(comparison); }});
  return comparison.regressed() ? 1 : 0;
}

}  // namespace rehearse
