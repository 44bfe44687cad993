// What the quantities of each source can be: JSON in which every list has one element.
#pragma once

#include <nlohmann/json.hpp>

namespace rehearse {

struct Skeletons {
  nlohmann::json facts;
  nlohmann::json result;
  nlohmann::json search;  // "search" and what is in it
};

}  // namespace rehearse
