// A candidate on its way through a search: what is known of it so far.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "search/search_job.hpp"
#include "search/space.hpp"

namespace rehearse {

struct SearchGoals;

// Why a candidate cannot be chosen.
struct Objection {
  std::string reason = {};  // empty: it can be. "{}" in it stands for `amount`
  // It could be run all the same: it is a constraint that it misses, not the memory or a rule.
  bool runs = false;
  std::optional<double> amount = {};  // by how much

  bool empty() const { return reason.empty(); }
  // "misses the SLO: TTFT p99 1.19 x the objective"
  std::string text() const;
};

// Of candidates with the same reason: "... 1.19 to 5.3 x the objective".
std::string text_of(const Objection& of_least, const Objection& of_most);

enum class EntryState : std::uint8_t {
  kOpen,      // may be simulated yet
  kRunning,   // by a worker
  kDone,      // simulated: has values
  kFailed,    // crashed, timed out, refused
  kExcluded,  // by a rule or its bound: is not simulated
};

struct Entry {
  Candidate candidate = {};
  std::string key = {};
  // Of the space that is searched; else the plan's own layout, or one that somebody asks about.
  bool in_space = true;
  bool wanted = false;  // simulated whatever its bound says
  EntryState state = EntryState::kOpen;
  int losses = 0;            // of the worker that had it
  SearchOutcome bound = {};  // without values when a rule forbids the candidate
  // What a rule or the bound says against it, whether it is simulated all the same or not. Empty:
  // nothing.
  Objection excluded = {};
  SearchOutcome outcome = {};  // of its simulation
  std::string failure = {};
};

// Why a candidate that ends so cannot be chosen.
Objection broken_by(const SearchOutcome& outcome, const SearchGoals& goals);

// Why nothing with this bound can be chosen; empty: something may.
Objection hopeless_by(const SearchOutcome& bound, const SearchGoals& goals);

}  // namespace rehearse
