// The last line of a search: what its best layout means.
#pragma once

#include <string>

#include "search/search.hpp"

namespace rehearse {

// The best layout in words, what bounds it, and the error of its times; where none can be chosen,
// what most of them fail for.
std::string means_of_search(const SearchInputs& inputs, const SearchResult& result);

}  // namespace rehearse
