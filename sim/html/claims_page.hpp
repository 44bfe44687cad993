// The page of a check: what a document claims, and what the simulation says of it.
#pragma once

#include <string>
#include <vector>

namespace rehearse {

// One claim judged in one scenario.
struct ReportClaim {
  std::string id;
  int line = 0;         // of the document
  std::string quote;    // its words
  std::string expect;   // what was compared: "communication.total_over_compute in 12%..15%"
  std::string verdict;  // "holds", "refuted", "inconsistent", "not modelled"
  std::string reason;   // one sentence
  std::string note;
  // The scenario; empty where the document alone decides.
  std::string reading;
  std::string platform;
  std::string alternative;
  bool fails = false;                // counts for the exit code
  std::string change;                // against the recorded verdicts; empty: none
  std::vector<std::string> because;  // lines: the terms that make the number
};

struct ReportClaims {
  std::string plan;
  std::string document;  // empty: none
  std::vector<ReportClaim> claims;
  std::vector<std::string> missing;           // recorded judgements that are no longer made
  std::vector<std::string> assumptions = {};  // what the figures take for granted, in sentences
};

std::string claims_page(const ReportClaims& report);

}  // namespace rehearse
