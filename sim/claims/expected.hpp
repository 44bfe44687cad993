// Recorded verdicts: what a team has accepted, so that only a change fails.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "claims/audit.hpp"

namespace rehearse {

struct ExpectedJudgement {
  Verdict verdict = Verdict::kHolds;
  nlohmann::json found;  // null: none
};

struct Expected {
  std::string path;
  double tolerance = 0.01;  // relative, of the values found
  // By claim, then by scenario ("declared-dense, assumed"; "document" where none is needed).
  std::map<std::string, std::map<std::string, ExpectedJudgement>> judgements;
};

// The scenario of a judgement as Expected names it.
std::string scenario_key(const Judgement& judgement);

// The file of these judgements, for --record. Read back by read_expected (input/input.hpp).
std::string expected_json(const std::vector<Judgement>& judgements);

// What the judgement changes against the record ("was refuted, now holds"); empty: nothing.
std::string change_of(const Judgement& judgement, const Expected& expected);

// Recorded judgements that are no longer made: "CLAIM (SCENARIO)". Only of claims and scenarios
// that a whole check makes.
std::vector<std::string> missing_from(const std::vector<Judgement>& judgements,
                                      const Expected& expected);

}  // namespace rehearse
