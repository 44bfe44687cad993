// Findings by claim, equal ones of several scenarios together: what a person wants to read once.
#pragma once

#include <string>
#include <vector>

#include "claims/report.hpp"

namespace rehearse {

struct OutcomeLine {
  Verdict verdict = Verdict::kHolds;
  std::string where;   // "everywhere", "declared-dense", "as-listed, nvlink"; empty: the document
  std::string reason;  // "found 9.79, 3.57 times less than 35"
  bool fails = false;
  std::string change;
  std::vector<std::string> because;
};

struct ClaimOutcome {
  const Claim* claim = nullptr;
  std::vector<OutcomeLine> lines;
  bool holds = true;     // everywhere
  bool in_part = false;  // in some scenarios
  Verdict worst = Verdict::kHolds;
};

std::vector<ClaimOutcome> by_claim(const CheckReport& report);

}  // namespace rehearse
