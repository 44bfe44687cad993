// Reports with made-up data, in which names are as hostile as a user's file may make them.
#pragma once

#include <string>

#include "html/claims_page.hpp"
#include "html/search_page.hpp"

namespace rehearse {

ReportClaims example_claims();
// Four degrees of parallelism on 16 to 40 GPUs; three objectives by simple closed forms.
ReportSearch example_search();
// The page of a run of `ranks` ranks with 300 steps of compute and all-reduce each, of different
// length on each rank, and an expert heat map.
std::string example_run_page(int ranks);
// The page of a service of 300 requests that come a little faster than they go.
std::string example_service_page();

}  // namespace rehearse
