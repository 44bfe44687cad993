// What a search found, for people and as JSON.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "search/search.hpp"

namespace rehearse {

// The table. The columns are the layout, the objectives, and GPUs.
std::string search_table(const SearchInputs& inputs, const SearchResult& result);

// The same as JSON, every quantity of every row; `identity`: what was searched (plan, model ...).
std::string search_json(const SearchInputs& inputs, const SearchResult& result,
                        const std::map<std::string, std::string>& identity);

// The reasons with how many candidates each excludes, the most first.
std::vector<std::pair<std::string, long>> by_count(const Exclusions& excluded);
// The same as text, one per line.
std::string exclusions_text(const Exclusions& excluded, std::size_t most);

}  // namespace rehearse
