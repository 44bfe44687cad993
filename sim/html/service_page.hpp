// report.html of a service that was simulated by the prices of its steps.
#pragma once

#include <string>

#include "html/page_about.hpp"
#include "plan/plan.hpp"
#include "serving/service.hpp"

namespace rehearse {

// `result` is the text of result.json. The same run gives the same bytes. REQUIRES: plan.serve,
// whose requests the service is of, and at least one of them served after the warm-up.
std::string service_page(const std::string& title, const std::string& result, const Plan& plan,
                         const serving::ServiceResult& service, const PageAbout& about = {});

}  // namespace rehearse
