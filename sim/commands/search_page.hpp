// A search as a page: its rows, in words and numbers, each with the command that simulates it
// alone.
#pragma once

#include <string>
#include <vector>

#include "html/search_page.hpp"
#include "input/input.hpp"
#include "search/search.hpp"

namespace rehearse {

// What `rehearse run` needs to simulate a candidate alone. `request`: what the plan was read from.
PlanRequest request_of(const PlanRequest& request, const SearchInputs& inputs,
                       const Candidate& candidate);
// "rehearse run plan.textproto --set layout.tensor=4", as a shell reads it.
std::string command_of(const PlanRequest& request);

// The rows of the page, in its order: what is ranked, what failed, the plan's own.
std::vector<const SearchRow*> rows_of(const SearchResult& result);

// Without pages of runs. REQUIRES: `rows` are rows_of(result).
ReportSearch page_of(const PlanRequest& request, const SearchInputs& inputs,
                     const SearchResult& result, const std::vector<const SearchRow*>& rows);

}  // namespace rehearse
