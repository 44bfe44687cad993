// What a search found, as a table.
#pragma once

#include "base/table.hpp"
#include "search/search.hpp"

namespace rehearse {

// Rows `ranked`, best first, `plan`, its own layout, and `failed`: the layout, every quantity that
// was measured, and why a layout cannot be chosen.
Table search_rows(const SearchInputs& inputs, const SearchResult& result);

}  // namespace rehearse
