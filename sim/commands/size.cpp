#include "commands/size.hpp"

#include "base/output_file.hpp"
#include "base/progress.hpp"
#include "commands/identity.hpp"
#include "commands/output_folder.hpp"
#include "commands/prepare.hpp"
#include "commands/seeds.hpp"
#include "sizing/rates.hpp"
#include "sizing/sizing_json.hpp"
#include "sizing/sizing_rows.hpp"
#include "sizing/sizing_text.hpp"

namespace rehearse {

SizeReport size_plan(const SizeRequest& request) {
  const Plan& plan = request.prepared.plan();
  check_sizable(plan);
  SizingOptions options;
  options.simulation = simulation_options(request.limits);
  options.seeds = seeds_of(request.seeds, request.prepared);
  if (!request.out.empty()) prepare_output(request.out, {"size.json"});
  const RunIdentity identity = identity_of(plan, request.prepared.model(), request.plan);
  Sizing sizing;
  {
    SharedCounters counters(1);
    const ProgressLine progress("sizing", counters, request.quiet);
    sizing = size_service(request.prepared, options);
  }
  SizeReport report;
  report.text = sizing_text(identity, plan, sizing);
  report.json = sizing_json(identity, sizing);
  report.rows = sizing_rows(sizing);
  if (!sizing.rate.largest) report.verdict = infeasible_text(sizing);
  if (!request.out.empty()) write_file(request.out + "/size.json", report.json);
  return report;
}

}  // namespace rehearse
