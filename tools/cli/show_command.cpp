#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/memory_limit.hpp"
#include "facts/facts.hpp"
#include "layout/layout.hpp"
#include "report/show.hpp"
#include "routing/token_routing.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {

int show_command(const Options& options) {
  const Plan plan = read_plan(options.plan);
  const Model model = read_model(plan.model_path, plan.model_sets);
  const Bytes limit = memory_limit(options.max_memory);
  const Cluster cluster = load_cluster_within(limit, plan.platform_path);
  const Platform& platform = cluster.platform();
  check_layout(plan, model, static_cast<int>(platform.gpus.size()), plan.platform_path);
  check_routing(plan, model);
  const Programs programs = lower_within(limit, model, plan, platform);
  if (options.quiet && !options.json) return 0;
  if (options.json) {
    fmt::print("{}", facts_json(model, plan, platform, programs));
  } else if (options.dump == "graph") {
    fmt::print("{}", show_graphs(model, plan));
  } else if (options.dump == "program") {
    fmt::print("{}", dump(programs));
  } else {
    fmt::print("{}", show(model, plan, platform, programs));
  }
  return 0;
}

}  // namespace rehearse
