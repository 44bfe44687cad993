#include "commands/run_about.hpp"

#include "report/means.hpp"
#include "report/not_modelled.hpp"
#include "report/summary.hpp"

namespace rehearse {

PageAbout about_run(const Plan& plan, const Model& model, const Metrics& metrics) {
  PageAbout about;
  for (const Line& line : plan_lines(plan)) about.head.emplace_back(line.label, line.value);
  about.head.emplace_back("means", meaning_of_run(plan, metrics));
  about.limits = not_modelled(plan, model);
  return about;
}

}  // namespace rehearse
