// A search whose workers answer made-up numbers, each of them drawn from the candidate's key.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "search/search.hpp"

namespace rehearse {

// Where the quantity's value stands in a row.
std::size_t at_name(const char* quantity);

// What happens to candidates, by a drawn number each.
struct Fate {
  unsigned seed = 0;
  double refused = 0;    // its bound cannot be found: a rule of the program
  double overflows = 0;  // in the bound already
  double bursts = 0;     // in the simulation only
  double crashes = 0;    // when simulated
  double looseness = 0;  // how far bounds are from the truth, at most

  bool hits(const std::string& key, double part, unsigned salt) const;
  std::vector<double> truth(const std::string& key) const;
  std::vector<double> bound(const std::string& key) const;
  // Answers as search_job does, now sooner and now later.
  std::string answer(const std::string& request) const;
};

// Factorings of up to 12 GPUs for a model of 4 layers and 4 heads.
struct Searched {
  Model model;
  Plan plan;
  Space space;
  SearchGoals goals;
  Fate fate;

  Searched();

  void set_gpus(const std::string& gpus);
  SearchResult search(int workers) const;
  std::string json(const SearchResult& result) const;
  std::string table(const SearchResult& result) const;
};

long sum_of(const Exclusions& excluded);
std::vector<std::string> keys_of(const std::vector<SearchRow>& rows);

}  // namespace rehearse
