// What other seeds make of a run's figures.
#pragma once

#include <string>
#include <vector>

namespace rehearse {

struct SeedFigure {
  std::string figure;  // its path in result.json: "ttft_s.p99"
  double mean = 0;
  double standard_deviation = 0;  // of a sample: over N - 1
  double least = 0;
  double most = 0;
};

struct SeedFigures {
  int seeds = 0;
  std::vector<SeedFigure> figures;  // those that every seed has
};

// Of the times, rates and shares of these result.json, one for each seed, at least one.
SeedFigures seed_figures(const std::vector<std::string>& results);

// A line for each of those that people ask for first.
std::string seeds_text(const SeedFigures& seeds);

}  // namespace rehearse
