// A comparison for people and for machines.
#pragma once

#include <string>

#include "compare/compare.hpp"

namespace rehearse {

const char* to_text(FieldChange::Kind kind);  // "worse"

std::string compare_table(const ResultComparison& comparison);
std::string compare_json(const ResultComparison& comparison);  // workloads/schema/compare.proto

}  // namespace rehearse
