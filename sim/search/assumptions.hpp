// What the figures of a search take for granted, beside every answer.
#pragma once

#include <string>
#include <vector>

#include "search/search.hpp"

namespace rehearse {

// Those of a run (metrics/assumptions.hpp), then the guesses among the figures of each platform.
std::vector<std::string> assumptions_of(const SearchInputs& inputs);

}  // namespace rehearse
