#include <fmt/format.h>

#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/limits.hpp"
#include "commands/prepare.hpp"
#include "commands/size.hpp"

namespace rehearse {

int size_command(const Options& options) {
  const PreparedPlan prepared = prepare(options.plan);
  SizeRequest request{prepared, options.plan, limits_of(options)};
  request.seeds = options.seeds;
  request.out = options.out;
  request.quiet = options.quiet;
  try {
    const SizeReport report = size_plan(request);
    print_answer(options, {[&] { return report.text; }, [&] { return report.json; },
                           [&] { return report.rows; }});
    if (!report.verdict.empty()) fmt::print(stderr, "{}\n", report.verdict);
    return report.verdict.empty() ? 0 : 1;
  } catch (const DoesNotFit& verdict) {
    fmt::print(stderr, "{}\n", verdict.what());
    return 1;
  }
}

}  // namespace rehearse
