// Verdicts on the 24-GPU plan, worked out by hand: one row per claim.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "claims/hand_model.hpp"

namespace rehearse::by_hand {

struct Row {
  std::string id;
  // What `rehearse check` must find; a list where the claim has one, 1 or 0 for true or false.
  std::function<std::vector<double>(const Scene&)> found;
  // The claim about it, for a list about each element.
  std::function<bool(double)> holds;
  double tolerance = 1e-9;  // of `found`, relative: how exact the hand calculation is
  bool at_least = false;    // `found` is a lower limit of what must be found, and decides as well
};

// Claims that the document decides alone; those that follow from the plan's dimensions and layout;
// those about a simulated run; those about one whose tokens spread unevenly.
std::vector<Row> document_rows();
std::vector<Row> fact_rows();
std::vector<Row> run_rows();
std::vector<Row> routing_rows();

inline std::vector<Row> joined(const std::vector<std::vector<Row>>& parts) {
  std::vector<Row> all;
  for (const std::vector<Row>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline std::function<bool(double)> at_least(double x) {
  return [x](double v) { return v >= x * (1 - 1e-9); };
}
inline std::function<bool(double)> at_most(double x) {
  return [x](double v) { return v <= x * (1 + 1e-9); };
}
inline std::function<bool(double)> below(double x) {
  return [x](double v) { return v < x; };
}
inline std::function<bool(double)> near(double x, double by) {
  return [x, by](double v) { return std::abs(v - x) <= by * (1 + 1e-9) + 1e-9 * std::abs(x); };
}
inline std::function<bool(double)> exactly(double x) { return near(x, 0); }
inline std::function<bool(double)> between(double low, double high) {
  return [low, high](double v) { return v >= low && v <= high; };
}

}  // namespace rehearse::by_hand
