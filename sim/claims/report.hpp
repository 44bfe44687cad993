// Judgements for people and for machines. What comes out of the user's files is escaped.
#pragma once

#include <string>
#include <vector>

#include "base/table.hpp"
#include "claims/audit.hpp"

namespace rehearse {

// A judgement with what it means for the exit code.
struct Finding {
  Judgement judgement;
  bool fails = false;
  std::string change;                // against the recorded verdicts; empty: none
  std::vector<std::string> because;  // lines: the terms that make the number
};

struct CheckReport {
  std::string plan;                           // its name
  std::string document;                       // empty: none
  bool gated = false;                         // judged against recorded verdicts: only changes fail
  std::vector<Finding> findings;              // in the order of the claims
  std::vector<std::string> missing;           // recorded judgements that are no longer made
  std::vector<std::string> assumptions = {};  // of the simulated scenarios, each once
  bool fails() const;
};

// "93 claims: 20 hold, 5 hold in part, 40 refuted, 18 inconsistent, 10 not modelled"
std::string totals_text(const CheckReport& report);

// Terms that several claims share are printed with the first.
std::string check_table(const CheckReport& report);
// A row for each judgement.
Table check_rows(const CheckReport& report);
std::string check_json(const CheckReport& report);   // workloads/schema/check.proto
std::string check_junit(const CheckReport& report);  // JUnit XML as Jenkins and GitLab read it
// A pull-request comment: the claims that do not hold everywhere; against recorded verdicts, what
// changed.
std::string check_markdown(const CheckReport& report);

}  // namespace rehearse
