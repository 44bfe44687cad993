// What a search leaves behind: search.json, report.html, and the pages of the runs that it found
// best.
#pragma once

#include <map>
#include <string>

#include "cli/options.hpp"
#include "search/search.hpp"

namespace rehearse {

// The folders of what is to be written: before anybody waits for a search. Throws InputError.
void prepare_search_report(const std::string& directory);

// Writes them into options.out. The runs of a complete search are simulated again, with their
// timelines, in processes of their own, each with its part of `memory`; one that fails is a
// warning, and its candidate has no page. Throws InputError. REQUIRES: this process has not used
// SimGrid.
void write_search_report(const Options& options, const SearchInputs& inputs,
                         const SearchResult& result, const std::string& json, Bytes memory);

}  // namespace rehearse
