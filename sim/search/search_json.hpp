// search.json: what a search found, in the words of workloads/schema/search.proto.
#pragma once

#include <string>

#include "search/search.hpp"

namespace rehearse {

// What was searched.
struct SearchIdentity {
  std::string plan;
  std::string model;
  std::string variant;
  std::string network;
  std::string inputs_sha256;
};

std::string search_json(const SearchInputs& inputs, const SearchResult& result,
                        const SearchIdentity& identity);

}  // namespace rehearse
