// What a search leaves behind: search.json, report.html, and the pages of the runs that it found
// best.
#pragma once

#include <string>
#include <vector>

#include "base/units.hpp"
#include "input/input.hpp"
#include "search/search.hpp"

namespace rehearse {

struct SearchReportRequest {
  PlanRequest plan;   // what the plan was read from
  std::string out;    // the folder
  Bytes memory;       // of all simulations together
  bool told = false;  // somebody waits at a terminal and is told on stderr
};

// The folders of what is to be written: before anybody waits for a search. Throws InputError.
void prepare_search_report(const std::string& directory);

// Writes them, and gives warnings. The runs of a complete search are simulated again, with their
// timelines, in processes of their own; one that fails is a warning, and its candidate has no page.
// Throws InputError. REQUIRES: this process has not used SimGrid.
std::vector<std::string> write_search_report(const SearchReportRequest& request,
                                             const SearchInputs& inputs, const SearchResult& result,
                                             const std::string& json);

// The rows whose runs get pages: the plan's own, then the front, then the others of the ranking; of
// what was simulated, and no more than anybody opens.
std::vector<const SearchRow*> rows_with_pages(const std::vector<const SearchRow*>& rows,
                                              const SearchResult& result);

}  // namespace rehearse
