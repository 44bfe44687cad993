// What workers do: bounds of many candidates, or the simulation of one, as text.
#pragma once

#include <string>
#include <vector>

#include "search/objective.hpp"
#include "search/space.hpp"
#include "search/workers.hpp"

namespace rehearse {

// Requests by key_of; those of one bound request are on one platform.
std::string bound_request(const std::vector<std::string>& keys);
std::string simulation_request(const std::string& key);

// The job that answers them. What it refers to must outlive it.
Job search_job(const Plan& base, const Model& model, const Space& space, Bytes memory_limit);

// Quantities as text, to the last bit.
std::string values_text(const std::vector<double>& values);
// Empty when the text is not that of as many values as there are quantities.
std::vector<double> values_of_text(const std::string& text);

// Of a bound request's answer, by key: its values, or why there is none.
struct BoundAnswer {
  std::vector<double> values;
  std::string refusal;
};
std::vector<BoundAnswer> bound_answers(const std::string& text);

}  // namespace rehearse
