// What the page of a run says of it beside its numbers.
#pragma once

#include "html/page_about.hpp"
#include "metrics/metrics.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// Its layout and traffic, as the summary says them, what it means, and what is not modelled that
// matters for it.
PageAbout about_run(const Plan& plan, const Model& model, const Metrics& metrics);

}  // namespace rehearse
