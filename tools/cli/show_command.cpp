#include <fmt/format.h>

#include <optional>

#include "base/progress.hpp"
#include "cli/commands.hpp"
#include "cli/limits.hpp"
#include "commands/prepare.hpp"
#include "facts/facts.hpp"
#include "report/show.hpp"
#include "simulation/lowered.hpp"

namespace rehearse {

int show_command(const Options& options) {
  const SharedCounters counters(1);
  std::optional<ProgressLine> progress(std::in_place, "lowering", counters, options.quiet);
  const PreparedPlan prepared = prepare(options.plan);
  const Plan& plan = prepared.plan();
  const Model& model = prepared.model();
  const Lowered lowered = lower_prepared(prepared, limits_of(options));
  const Platform& platform = lowered.cluster.platform();
  const Programs& programs = lowered.programs;
  progress.reset();
  if (options.json) {
    fmt::print("{}", facts_json(model, plan, platform, programs));
  } else if (options.quiet) {
    return 0;
  } else if (options.dump == "graph") {
    if (plan.serve) {
      throw InputError(plan.where.at("serve"),
                       "serve: --dump graph prints the passes of one batch; --dump program prints "
                       "those of every batch");
    }
    fmt::print("{}", show_graphs(model, plan));
  } else if (options.dump == "program") {
    fmt::print("{}", dump(programs));
  } else {
    fmt::print("{}", show(model, plan, platform, programs));
  }
  return 0;
}

}  // namespace rehearse
