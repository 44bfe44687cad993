// What a reader of a search's result must know, in sentences, beside what it takes for granted.
#pragma once

#include <string>
#include <vector>

#include "search/search.hpp"

namespace rehearse {

// "3 of 10 rows rest on too few requests: ..." (metrics/arrival_window.hpp); empty: none does.
std::string too_few_note(const SearchInputs& inputs, const SearchResult& result);

// That, and those of the space.
std::vector<std::string> notes_of(const SearchInputs& inputs, const SearchResult& result);

}  // namespace rehearse
