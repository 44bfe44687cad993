// Rows of measured constants, as device files and platform files say them: a row's name, `assumed`
// where it is another GPU's, and numbers behind their names; rows between semicolons:
// "nccl.ring.ll inside 0.278 fill 2us; nccl.tree.ll assumed inside 0.3".
//
// What rows and numbers there are is a table of each kind (collective_costs.hpp,
// operator_costs.hpp): adding one is a line there.
#pragma once

#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "platform/bounds.hpp"

namespace rehearse {

struct CostRow {
  std::string_view name;
  std::string_view meaning;
};

template <class Costs>
struct CostField {
  std::string_view name;
  PlatformQuantity quantity;  // kProtocolShare, or kLaunch: a time
  std::string_view meaning;
  void (*set)(Costs& costs, double value);

  bool is_time() const { return quantity == PlatformQuantity::kLaunch; }
};

template <class Costs>
struct CostTable {
  std::span<const CostRow> rows;
  std::span<const CostField<Costs>> fields;  // in the order in which files say them
  const char* asking;                        // who reads rows: "no library asks for ..."
};

// The value of such a text ("0.278", "2us"). Throws std::invalid_argument ("VALUE: RULE").
double parse_cost(const std::string& text, PlatformQuantity quantity);

// Why a row of that name cannot be, with the nearest that can; empty: it is one.
std::string unknown_row(const std::string& name, std::span<const CostRow> rows, const char* asking);

struct WrittenCost {
  std::size_t field = 0;  // index in the table
  double value = 0;
};
struct WrittenCosts {
  std::string row;
  bool assumed = false;
  std::vector<WrittenCost> numbers;
};
struct CostFieldName {
  std::string_view name;
  PlatformQuantity quantity;
};
// Throws std::invalid_argument with what is wrong.
std::vector<WrittenCosts> parse_cost_rows(const std::string& text, std::span<const CostRow> rows,
                                          std::span<const CostFieldName> fields,
                                          const char* asking);

template <class Costs>
using CostMap = std::map<std::string, Costs, std::less<>>;

template <class Costs>
CostMap<Costs> parse_costs(const std::string& text, const CostTable<Costs>& table) {
  std::vector<CostFieldName> names;
  for (const CostField<Costs>& field : table.fields) names.push_back({field.name, field.quantity});
  CostMap<Costs> costs;
  for (const WrittenCosts& written : parse_cost_rows(text, table.rows, names, table.asking)) {
    Costs& row = costs[written.row];
    row.assumed = written.assumed;
    for (const WrittenCost& number : written.numbers) {
      table.fields[number.field].set(row, number.value);
    }
  }
  return costs;
}

}  // namespace rehearse
