// A small result, and its comparison with another.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "compare/compare.hpp"

namespace rehearse {

using nlohmann::json;

inline json result() {
  return json::parse(R"({
    "plan": "p", "makespan_s": 10.0, "ttft_s": {"max": 4.0}, "throughput": {"tokens_per_s": 100.0},
    "memory": {"fits": true, "peak_bytes": 1e9, "capacity_bytes": 64e9},
    "communication": {"by_axis": [{"axis": "tp", "busy_s": 1.0}, {"axis": "pp", "busy_s": 2.0}]},
    "operators": [{"operator": "qkv", "busy_s": 5.0}, {"operator": "norm", "busy_s": 1.0}]})");
}

// As result_skeleton: every field that there can be.
inline json schema() {
  json all = result();
  all["tpot_s"] = {{"max", 0.0}};
  all["routing"] = {{"time_lost_s", 0.0}};
  all["communication"]["total_over_compute"] = 0.0;
  return all;
}

inline ResultComparison compare(const json& before, const json& after,
                                const std::vector<Tolerance>& tolerances) {
  return compare(before, after, tolerances, schema());
}

inline const std::vector<Tolerance> kOnePercent = {{"", 0.01, 0}};

}  // namespace rehearse
