// Two result.json: what moved, whether that is better or worse, and which operators moved it. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "claims/expression.hpp"

namespace rehearse {

enum class Better { kMore, kLess, kNeither };

// Of the first rule that fits; absent for a field that none knows.
std::optional<Better> better_of(const std::string& path);

// Not of a number that names something, a rank, a layer, a seed, or the size of what was run:
// nothing is a share of it, nor near it.
bool is_amount(const std::string& path);

// A field may move by the larger of the two without being judged. Relative to the field before, or
// to what it is a part of where it may be near 0: a share of the makespan to the makespan, what a
// backlog grows by to what comes, time in the queue to TTFT.
struct Tolerance {
  std::string prefix;  // of the paths that it is for; empty: every field
  double relative = 0;
  double absolute = 0;
  Unit unit = Unit::kNone;  // only for fields in this unit; kNone: in any
};

// "5%", "2ms", "100MB", "ttft_s.p99=5%", "throughput=0.5" (in the field's own unit). Throws
// InputError at `where` + its place in the text: a field that no result has, a unit that is not the
// field's, and what would let everything pass. `skeleton`: result_skeleton.
Tolerance read_tolerance(const std::string& text, const SourceLocation& where,
                         const nlohmann::json& skeleton);

struct FieldChange {
  std::string path;  // "communication.by_axis[tp].busy_s"
  Unit unit = Unit::kNone;
  nlohmann::json before;  // null: the field is not there
  nlohmann::json after;
  enum class Kind {
    kSame,
    kBetter,
    kWorse,
    kChance,  // both results say what other seeds make of it: no more than that
    kMoved,   // neither good nor bad
    kUnknown  // moved, and this version knows no such field: nobody can judge it
  } kind = Kind::kSame;
};

struct ResultComparison {
  std::vector<FieldChange> fields;     // every field of either, in their order
  std::vector<FieldChange> operators;  // busy_s, those that moved most first
  bool regressed() const;
};

// A figure of which both results have the spread over seeds is neither better nor worse if their
// means differ by no more than t x sqrt(sd1^2/n1 + sd2^2/n2), t being the 97.5 % point of Student's
// distribution of n1 + n2 - 2 degrees of freedom: two runs of the same system would, 19 times
// in 20.
//
// `tolerances`: the last that fits a field counts. `skeleton`: result_skeleton. REQUIRES of both:
// no fault_of (check_result.hpp).
ResultComparison compare(const nlohmann::json& before, const nlohmann::json& after,
                         const std::vector<Tolerance>& tolerances, const nlohmann::json& skeleton);

}  // namespace rehearse
