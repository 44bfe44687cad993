// The page of a search: the candidates, their trade-offs, and which of them nothing else beats.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace rehearse {

// What is shown of each candidate: a column of the table, a choice for the axes of the trade-offs.
struct ReportColumn {
  std::string name;        // "TTFT"
  std::string unit;        // "s"; empty: none
  std::string definition;  // "ttft_s.p99"
  bool higher_is_better = false;
  bool objective = false;  // the candidates are ranked by it
};

// Columns of the table and axes of the parallel coordinates.
struct ReportCandidate {
  int rank = 0;                         // 1 is the best; 0: its place is not known
  std::vector<std::string> parameters;  // one per ReportSearch::parameters, numbers as text: "4"
  // One per ReportSearch::columns, finite, nothing where it is not known; none unless simulated.
  std::vector<std::optional<double>> values;
  // "simulated", "misses a constraint" (simulated, too), "refused" (it breaks a rule or does not
  // fit), "failed"
  std::string status;
  std::string reason;  // why it cannot be chosen
  bool on_front = false;
  bool tie = false;  // with the best: nearer to it than the expected error of times
  // The first objective with experts that are not loaded alike, and the place then; nothing: not
  // simulated.
  std::optional<double> skewed;
  std::optional<int> skewed_place;
  bool platform_assumed = false;  // some figures of its platform are guesses
  bool is_plan = false;           // the layout that the plan itself has
  std::string command;   // that simulates it: "rehearse run plan.textproto --set layout.tensor=4"
  std::string run_page;  // its report.html, relative to the search's page; empty: not written
};

struct ReportExclusion {
  std::string reason;  // "tensor = 3 does not divide the 32 attention heads"
  long long count = 0;
};

struct ReportSearch {
  std::string plan;
  std::vector<std::string> assumptions;  // what the figures take for granted, in sentences
  std::vector<std::string> notes;        // what was asked for and is not searched, in sentences
  bool complete = true;      // false: stopped before it was known that nothing else can win
  bool exhaustive = false;   // everything legal was simulated, and is here
  long long considered = 0;  // combinations of the ranges
  long long legal = 0;
  long long ranked = 0;  // simulated, and may be chosen; more than are shown
  long long failed = 0;
  long long not_simulated = 0;          // by their bounds neither on the front nor among the best
  std::vector<std::string> parameters;  // "gpus", "tensor", "pipeline", ...
  std::vector<ReportColumn> columns;    // the objectives first
  std::vector<std::string> absences;    // why something is in no column, in sentences
  std::vector<ReportCandidate> candidates;  // by rank, best first
  std::vector<ReportExclusion> excluded;    // combinations that cannot be chosen, by reason
};

std::string search_page(const ReportSearch& report);

}  // namespace rehearse
