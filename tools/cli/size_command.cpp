#include <fmt/format.h>

#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/limits.hpp"
#include "cli/option_group.hpp"
#include "commands/prepare.hpp"
#include "commands/size.hpp"

namespace rehearse {

void add_size_options(CLI::App& command, Options& options) {
  add_plan_options(command, options);
  OptionGroup(command, "What is asked")
      .value("--seeds", options.seeds, "N",
             "find the largest rate of so many seeds, from the plan's on (default: 1)");
  OptionGroup(command, kOut)
      .value("--out", options.out, "DIR", "a folder for size.json (default: none is written)");
}

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
    if ((options.csv || options.markdown) && !options.quiet) {
      for (const std::string& each : report.notes) fmt::print(stderr, "warning: {}\n", each);
    }
    if (!report.verdict.empty()) fmt::print(stderr, "{}\n", report.verdict);
    return report.verdict.empty() ? 0 : 1;
  } catch (const DoesNotFit& verdict) {
    fmt::print(stderr, "{}\n", verdict.what());
    return 1;
  }
}

}  // namespace rehearse
