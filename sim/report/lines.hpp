// The summary of a run, line by line (report/summary.cpp).
#pragma once

#include <string>

namespace rehearse {

struct Line {
  std::string label;
  std::string value;
  std::string definition;  // printed by --explain; empty: none
};

std::string percent(double share);    // "12.5 %"
std::string rate(double per_second);  // "232 k": it may be millions

}  // namespace rehearse
