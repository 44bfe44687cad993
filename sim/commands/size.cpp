#include "commands/size.hpp"

#include <fmt/format.h>

#include "base/output_file.hpp"
#include "base/progress.hpp"
#include "commands/identity.hpp"
#include "commands/output_folder.hpp"
#include "commands/prepare.hpp"
#include "commands/seeds.hpp"
#include "report/means.hpp"
#include "sizing/notes.hpp"
#include "sizing/rates.hpp"
#include "sizing/sizing_json.hpp"
#include "sizing/sizing_rows.hpp"
#include "sizing/sizing_text.hpp"

namespace rehearse {

std::string means_of_sizing(const Plan& plan, const Sizing& sizing) {
  const Breaking& breaking = sizing.breaking;
  const std::string limit =
      sizing.rate.largest
          ? fmt::format("{} breaks first above {:.4g} {}/s, because of {}", to_text(breaking.term),
                        sizing.rate.largest->rate, sizing.arrivals, to_text(breaking.cause))
          : fmt::format("{} breaks at every rate, because of {}", to_text(breaking.term),
                        to_text(breaking.cause));
  const std::string doubt = rests_on_too_few(sizing.rate)
                                ? "; on too few requests to be sure (the note says how many)"
                                : "";
  const int replicas = plan.serve->replicas;
  return means_line(
      layout_words(plan.layout, replicas, plan.serve->gpus(plan.layout), sizing.servers),
      limit + doubt, error_words(sizing.accuracy));
}

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
  report.text = sizing_text(identity, plan, sizing) + means_of_sizing(plan, sizing);
  report.json = sizing_json(identity, sizing);
  report.rows = sizing_rows(sizing);
  report.notes = sizing.notes;
  if (!sizing.rate.largest) report.verdict = infeasible_text(sizing);
  if (!request.out.empty()) write_file(request.out + "/size.json", report.json);
  return report;
}

}  // namespace rehearse
