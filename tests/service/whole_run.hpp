// What the replay of a drawn plan takes, beside which prices of its steps are held.
#pragma once

#include <string>
#include <vector>

#include "cluster_xml/xml_text.hpp"
#include "property/random_plans.hpp"
#include "replay/recorded_run.hpp"
#include "simulation/simulation.hpp"

namespace rehearse {

// In a process of its own: SimGrid has one platform in each.
inline double makespan(const RandomPlan& drawn, const std::string& zone, int output) {
  Plan plan = drawn.plan;
  plan.batch.output_tokens = output;
  const std::vector<double> told = in_child([&] {
    const TemporaryXml file(zone);
    plan.platform_path = file.path();
    SimulationOptions options;
    options.memory_limit = Bytes{1e10};
    return std::vector<double>{simulate(plan, drawn.model, options).metrics.makespan_s};
  });
  return told.front();
}

}  // namespace rehearse
