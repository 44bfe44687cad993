// Shares as percents, for people.
#pragma once

#include <string>
#include <vector>

namespace rehearse {

// "12.5 %". What rounds to nothing has no sign.
std::string percent_text(double share);

// The same of each. Where the shares add up to 1, so do the texts: the tenths that rounding would
// lose or add go to those that are nearest to the next one.
std::vector<std::string> percent_texts(const std::vector<double>& shares);

}  // namespace rehearse
