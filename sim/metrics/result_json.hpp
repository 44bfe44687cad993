// Metrics as result.json.
#pragma once

#include <optional>
#include <string>

#include "metrics/critical_path.hpp"
#include "metrics/metrics.hpp"
#include "metrics/seed_figures.hpp"

namespace rehearse {

// What identifies a run beside its numbers.
struct RunIdentity {
  std::string plan;  // the plan's name
  std::string model;
  std::string platform;  // path as given
  std::string variant;
  std::string network;
  unsigned long long seed = 0;
  std::string inputs_sha256;  // of the input files' bytes and the options that change the result
  std::string engine = {};    // empty: none
};

std::string result_json(const RunIdentity& identity, const Metrics& metrics,
                        const std::optional<CriticalPath>& path = {},
                        const std::optional<SeedFigures>& seeds = {});

// The same with one element in every list: which fields there can be.
std::string result_skeleton();

}  // namespace rehearse
