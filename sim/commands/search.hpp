// `rehearse search`: what is typed and what the plan says, as a space and goals that can be
// searched.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "input/input.hpp"
#include "search/search.hpp"
#include "simulation/limits.hpp"

namespace rehearse {

struct SearchOptions {
  // By the field of plan.proto's Search, as typed.
  std::map<std::string, std::vector<std::string>> space;
  std::string top = "10";
  std::string workers;  // empty: one per core
  std::string timeout = "600s";
  std::string journal;
  std::string why_not;
  std::string worker_sockets;
  bool exhaustive = false;
  bool no_skew = false;
};

// Everything that a search needs, read and checked.
struct PreparedSearch {
  Plan plan;
  Model model;
  Space space;
  SearchGoals goals;
  Seconds timeout;
  Limits limits;
};

// Throws InputError: the plan's, the options' and the platforms' mistakes, and what no layout
// mends.
PreparedSearch prepare_search(const PlanRequest& request, const SearchOptions& options,
                              const Limits& limits);

// The option of a field of plan.proto's Search: "--max-gpus" of "max_gpus".
std::string option_of(const std::string& field);

// The plan's fields, each replaced by its option where that is given. Throws InputError: one that
// is no list is given several times.
SpaceText space_text(const Plan& plan, const SearchOptions& options);

// Throws InputError where a quantity that needs a price or a power ranks or limits, and a platform
// states none. `what`: "the objective tokens_per_dollar".
void check_costs(const std::string& what, int quantity, const Space& space);

// Throws InputError: nothing of what was enumerated is legal, and why.
void refuse_empty(const Enumeration& found);

// Of --workers, and of --worker-sockets ("5,6,7": sockets at whose other ends workers are). Throws
// InputError.
int workers_of(const std::string& text);
std::vector<int> sockets_of(const std::string& text);

}  // namespace rehearse
