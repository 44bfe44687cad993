// The last stage of a search: the ranking, and an account of every layout that was considered.
//
// Each is ranked, excluded for a reason, failed or not simulated. Which one follows from its bound,
// its own simulation and the final Pareto set and best only, never from what else happened to be
// simulated before these were known: a candidate whose bound says that it cannot win counts as not
// simulated, also where a worker had begun it in vain. So the account is the same with any number
// of workers. An exhaustive search simulates all, and has none of these.
#pragma once

#include <deque>

#include "search/contest.hpp"
#include "search/entry.hpp"
#include "search/search.hpp"

namespace rehearse {

// Fills what SearchResult says of `entries`, and of those of them that are asked about. REQUIRES:
// result.complete, considered, legal and excluded (by rules) are filled. SIM_CHECKs that every
// layout is accounted for once.
void fill_account(const std::deque<Entry>& entries, const std::vector<const Entry*>& asked,
                  const Contest& contest, const SearchInputs& inputs, SearchResult& result);

// What is known of an entry, as a row.
SearchRow row_of(const Entry& entry, const Contest& contest, const SearchGoals& goals);

}  // namespace rehearse
