// What workers do: bounds of many candidates, or the simulation of one, as text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "search/objective.hpp"
#include "search/space.hpp"
#include "search/workers.hpp"
#include "simulation/limits.hpp"

namespace rehearse {

// Requests by key_of; those of one bound request are on one platform.
std::string bound_request(const std::vector<std::string>& keys);
std::string simulation_request(const std::string& key);
std::string skewed_request(const std::string& key);  // under the skew of search/skew.hpp

// The job that answers them. What it refers to must outlive it.
Job search_job(const Plan& base, const Model& model, const Space& space, const Limits& limits);

// What a run, or the bound of one, is judged by.
struct SearchOutcome {
  std::vector<double> values = {};  // by quantity
  std::string most_memory = {};     // the largest category at the memory's peak: "weights"
};
// As text, to the last bit.
std::string outcome_text(const Metrics& metrics, const SearchPlatform& platform);
std::string outcome_text(const SearchOutcome& outcome);
// Nothing when the text is not that of as many values as there are quantities.
std::optional<SearchOutcome> outcome_of_text(const std::string& text);

// Of a bound request's answer, by key: the bound, or why there is none.
struct BoundAnswer {
  std::optional<SearchOutcome> bound;
  std::string refusal;
};
std::vector<BoundAnswer> bound_answers(const std::string& text);

}  // namespace rehearse
