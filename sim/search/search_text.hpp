// What a search found, for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "search/search.hpp"

namespace rehearse {

// "1 layout", "2 layouts".
std::string counted(long count, const std::string& what);

// "runs, but does not keep ttft_s.p99 <= 6: simulated 6.2 s, ...", "does not run: does not fit in
// memory ...: 12.5 GB of 9.00 GB usable, ...". REQUIRES: it cannot be chosen.
std::string why_not_chosen(const SearchGoals& goals, const SearchRow& row);

// What a candidate has of a layout field: "4", "yes".
std::string choice_text(const LayoutField& field, const Candidate& candidate);

// The account, then the table: GPUs, the layout, and the columns of search/columns.hpp.
std::string search_table(const SearchInputs& inputs, const SearchResult& result);

// "tp 4 pp 2 dp 3 ep 1 mb 22", with the platform where there are several.
std::string layout_text(const SearchInputs& inputs, const SearchRow& row);

// The reasons with how many candidates each excludes, the most first.
std::vector<std::pair<std::string, long>> by_count(const Exclusions& excluded);
// The same as text, one per line.
std::string exclusions_text(const Exclusions& excluded, std::size_t most);

}  // namespace rehearse
