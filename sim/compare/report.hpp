// A comparison for people and for machines.
#pragma once

#include <string>

#include "base/table.hpp"
#include "compare/compare.hpp"

namespace rehearse {

const char* to_text(FieldChange::Kind kind);  // "worse"

std::string compare_table(const ResultComparison& comparison);
// A row for each field and each operator that moved, in the order of the text.
Table compare_rows(const ResultComparison& comparison);
std::string compare_json(const ResultComparison& comparison);  // workloads/schema/compare.proto

}  // namespace rehearse
