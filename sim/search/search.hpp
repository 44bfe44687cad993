// Which candidates are worth having: best-first simulation of what can still win, by bounds.
//
// A candidate can win when it can enter the Pareto set of the objectives, or the best `top` by the
// first objective. A bound is at least as good as its simulation in every objective, so a candidate
// whose bound is dominated by something simulated, and behind the last of the best, cannot. When
// none is left that can, the result is that of simulating everything (Search::exhaustive), and the
// same however many workers there were: what is reported are the Pareto set and the best only.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "search/constraint.hpp"
#include "search/journal.hpp"
#include "search/objective.hpp"
#include "search/space.hpp"
#include "search/workers.hpp"

namespace rehearse {

struct SearchGoals {
  std::vector<Objective> objectives;  // the first one ranks
  std::vector<Constraint> constraints;
  double memory_fraction = 0.90;  // the plan's: of a GPU's memory that a layout may use
  int top = 10;
  bool exhaustive = false;
  bool skew = false;  // show how the rows do under the skew of search/skew.hpp
  // The plan serves: what misses its objective or has no steady state cannot be chosen.
  bool serves = false;
  double slo_quantile = 0.99;
};

// Whether a run with these values, by quantity, fits in the memory that it may use.
bool fits_memory(const std::vector<double>& values, const SearchGoals& goals);

// A row under the skew of search/skew.hpp.
struct SkewedRow {
  std::vector<double> values;  // by quantity; of a failure, none
  int place = 0;               // among the rows that are shown; 0: it cannot be chosen
  std::string reason;          // why it cannot be chosen
};

struct SearchRow {
  Candidate candidate;
  std::string key;
  std::vector<double> values;  // by quantity; none unless simulated
  bool pareto = false;
  std::string failure;
  std::string broken;  // the rule, the memory or the constraint for which it cannot be chosen
  std::optional<SkewedRow> skewed = {};
  // False: a rule, the memory or a failure forbids to run it. What merely misses a
  // constraint runs.
  bool runs = true;
  std::vector<double> bound = {};  // by quantity; none when a rule forbids it
  // Of `broken` what others may have in common, and by how much it is missed, where it says so
  // itself: "misses the SLO: TPOT p99 {} x the objective", 1.17.
  std::string broken_kind = {};
  std::optional<double> broken_amount = {};

  bool can_be_chosen() const { return failure.empty() && broken.empty(); }
  const std::string& reason() const { return failure.empty() ? broken : failure; }  // if not
};

// What became of a layout that somebody asks about.
struct AskedRow {
  SearchRow row;
  bool in_space = true;
  // Among the ranked, 1 is the best; of a layout that is not in the space, where it would be. 0: it
  // is not ranked.
  int place = 0;
  std::optional<SearchRow> beaten_by;  // one of the Pareto set that is better than its bound
  int beaten_by_place = 0;
};

// considered = not_legal() + legal; legal = ranked + failures + legal_excluded() + not_simulated.
struct SearchResult {
  long considered = 0;
  long legal = 0;
  long ranked = 0;         // simulated, and may be chosen
  long not_simulated = 0;  // by their bounds neither in the Pareto set nor among the best `top`
  Exclusions excluded;     // by rules, by what bounds prove, by what simulating found
  std::vector<SearchRow> ranking;   // of the ranked the Pareto set and the `top`, best first
  std::vector<SearchRow> all;       // exhaustive: everything simulated, best first, broken last
  std::vector<SearchRow> failures;  // crashed, timed out, refused
  std::vector<AskedRow> asked;      // SearchInputs::asked, in that order
  // The plan's own layout, outside of the account. None: the search was stopped before.
  std::optional<SearchRow> plan_row;
  bool complete = true;  // false: stopped before it was known that nothing else can win

  long not_legal() const { return considered - legal; }
  // What bounds prove of legal ones, or simulating found.
  long legal_excluded() const {
    return legal - ranked - static_cast<long>(failures.size()) - not_simulated;
  }
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
  std::vector<Candidate> asked = {};  // legal ones that the result shall tell about
};

// `journal` may be nullptr. `report` is called every now and then; false stops the search.
// Throws InternalError when a simulation beats its bound.
SearchResult search(const SearchInputs& inputs, const Enumeration& candidates, Workers& workers,
                    Journal* journal, const std::function<bool(const SearchProgress&)>& report);

}  // namespace rehearse
