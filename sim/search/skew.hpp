// How the rows that a search shows do where experts are not loaded alike. Uniform routing is what a
// plan has that says nothing, and it decides between expert and tensor parallelism: only the former
// waits for the busiest rank.
#pragma once

#include <functional>
#include <string>

#include "search/search.hpp"

namespace rehearse {

// Whether the plan leaves routing uniform, and the model has experts that could be chosen
// otherwise.
bool hides_skew(const Plan& plan, const Model& model);

// The plan with the skew that the rows are shown under: routing.model = gini with its default.
Plan skewed(Plan plan);
// "routing.model = gini, gini 0.24"
std::string skew_text();

// Fills SearchRow::skewed of the first rows of the ranking (what a page shows) and of the plan's
// own. False: `goes_on` stopped it.
bool fill_skewed(const SearchInputs& inputs, Workers& workers, const std::function<bool()>& goes_on,
                 SearchResult& result);

}  // namespace rehearse
