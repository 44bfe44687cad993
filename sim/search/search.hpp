// Which candidates are worth having: best-first simulation of what can still win, by bounds.
//
// A candidate can win when it can enter the Pareto set of the objectives, or the best `top` by the
// first objective. A bound is at least as good as its simulation in every objective, so a candidate
// whose bound is dominated by something simulated, and behind the last of the best, cannot. When
// none is left that can, the result is that of simulating everything (Search::exhaustive), and the
// same however many workers there were: what is reported are the Pareto set and the best only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "search/journal.hpp"
#include "search/objective.hpp"
#include "search/space.hpp"
#include "search/workers.hpp"

namespace rehearse {

struct SearchGoals {
  std::vector<Objective> objectives;  // the first one ranks
  std::vector<Constraint> constraints;
  int top = 10;
  bool exhaustive = false;
};

struct SearchRow {
  Candidate candidate;
  std::string key;
  std::vector<double> values;  // by quantity; of a failure, none
  bool pareto = false;
  std::string failure;
  std::string broken;  // why it cannot be chosen although it was simulated: the constraint
};

struct SearchResult {
  long considered = 0;
  long legal = 0;
  Exclusions excluded;               // by rules, and by what bounds prove
  std::vector<SearchRow> ranking;    // best first
  std::vector<SearchRow> all;        // exhaustive: everything simulated, best first, broken last
  std::vector<SearchRow> failures;   // crashed, timed out, refused
  std::vector<SearchRow> reference;  // the plan's own layout: one row, or none when it is not legal
  bool complete = true;              // false: stopped before it was known that nothing else can win
};

// What there is to tell a person who waits.
struct SearchProgress {
  long bounded = 0;
  long to_bound = 0;
  long simulated = 0;  // in this run
  long known = 0;      // from the journal
  long open = 0;       // can still win
  double best = 0;     // by the first objective, once there is one
  bool has_best = false;
};

struct SearchInputs {
  const Plan& base;
  const Model& model;
  const Space& space;
  SearchGoals goals;
};

// `journal` may be nullptr. `report` is called every now and then; false stops the search.
// Throws InternalError when a simulation beats its bound.
SearchResult search(const SearchInputs& inputs, const Enumeration& candidates, Workers& workers,
                    Journal* journal, const std::function<bool(const SearchProgress&)>& report);

}  // namespace rehearse
