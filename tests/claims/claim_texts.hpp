// Comparisons and quantities for the tests of the claims stage.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "claims/evaluate.hpp"

namespace rehearse {

inline Comparison comparison(const std::string& text) {
  return parse_comparison(text, {"c.textproto", 3, 10});
}

// A run with numbers that a head can hold.
inline nlohmann::json quantities() {
  return nlohmann::json::parse(R"({
    "ttft_s": {"mean": 2.0, "max": 5.0},
    "memory": {"peak_bytes": 12e9, "fits": true,
               "by_category": [{"category": "weights", "bytes": 9e9},
                               {"category": "kv_cache", "bytes": 3e9}]},
    "throughput": {"tokens_per_ms_per_gpu": 9.5},
    "device": {"usable_flops_per_s": 240e12},
    "per_token": {"prefill_flops": 20e9},
    "network": "fluid",
    "ranks": [{"pipeline": 0, "requests": 22}, {"pipeline": 0, "requests": 21}, {"pipeline": 1, "requests": 21}],
    "groups": {"tp": [{"ranks": [0, 1]}, {"ranks": [2]}]}})");
}

inline Outcome outcome(const std::string& text) { return evaluate(comparison(text), quantities()); }
inline bool holds(const std::string& text) { return outcome(text).holds; }
inline double value(const std::string& text) {
  return std::get<double>(outcome(text + " == 0").found);
}

template <class Code>
std::string refusal_of(Code code) {
  try {
    code();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace rehearse
