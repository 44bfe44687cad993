// What a search shows of a candidate beside its layout: one list, which the table of the terminal
// and the page read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "search/search.hpp"

namespace rehearse {

struct SearchColumn {
  std::string head;        // "TTFT": few characters
  std::string unit;        // of the numbers shown: "ms"; empty: none
  std::string definition;  // "tpot_s.mean", by which constraints name it, or words
  int quantity = 0;
  double scale = 1;           // what is shown of a value of the quantity
  bool is_objective = false;  // asked for, and ranked by
  bool is_margin = false;     // not the quantity itself: what a GPU has left of what it may use
  bool more_is_better = false;
};

struct SearchColumns {
  std::vector<SearchColumn> all;  // the objectives in their order, then what is always shown
  // Why something of that is not: "no $/M out: p.xml states no price of a GPU (...)".
  std::vector<std::string> absences;
};

// No quantity twice. Always shown are TTFT, TPOT, tokens/s per GPU, dollars per million output
// tokens, of a service its goodput and the share within its objective, the peak of the memory and
// its margin.
SearchColumns columns_of(const SearchInputs& inputs);

// As shown. Nothing: not simulated, or not measured there.
std::optional<double> shown_value(const SearchColumn& column, const std::vector<double>& values,
                                  const SearchGoals& goals);

// "252.1k", "4.848", "0.0264"
std::string number_cell(double number);
// "throughput 252.1k tok/s, TTFT 4.848 s, margin 79.5 %": what is known of it.
std::string numbers_text(const std::vector<SearchColumn>& columns,
                         const std::vector<double>& values, const SearchGoals& goals);

}  // namespace rehearse
