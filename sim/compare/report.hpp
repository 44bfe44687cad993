// A comparison for people and for machines.
#pragma once

#include <string>

#include "compare/compare.hpp"

namespace rehearse {

std::string compare_table(const ResultComparison& comparison);
std::string compare_json(const ResultComparison& comparison);

}  // namespace rehearse
