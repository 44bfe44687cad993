// Two result.json: what moved, whether that is better or worse, and which operators moved it. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "claims/expression.hpp"

namespace rehearse {

enum class Better { kMore, kLess, kNeither };

// How a field is judged. Fields of one group ("ttft_s.") share a line.
struct FieldRule {
  std::string prefix;  // of the path, a whole path or up to a "." or "["
  Better better = Better::kNeither;
};

// Of the first rule that fits; kNeither for a field that none knows.
Better better_of(const std::string& path);

// A field may move by the larger of the two without being judged.
struct Tolerance {
  std::string prefix;  // of the paths that it is for; empty: every field
  double relative = 0;
  double absolute = 0;
};

struct FieldChange {
  std::string path;  // "communication.by_axis[tp].busy_s"
  Unit unit = Unit::kNone;
  nlohmann::json before;  // null: the field is not there
  nlohmann::json after;
  enum class Kind {
    kSame,
    kBetter,
    kWorse,
    kMoved
  } kind = Kind::kSame;  // kMoved: neither good nor bad
};

struct ResultComparison {
  std::vector<FieldChange> fields;     // every field of either, in their order
  std::vector<FieldChange> operators;  // busy_s, those that moved most first
  bool regressed() const;
};

// `tolerances`: the last that fits a field counts.
ResultComparison compare(const nlohmann::json& before, const nlohmann::json& after,
                         const std::vector<Tolerance>& tolerances);

}  // namespace rehearse
