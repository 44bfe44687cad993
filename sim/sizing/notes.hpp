// What a reader of a sizing must know before its numbers.
#pragma once

#include <string>
#include <vector>

#include "sizing/sizing.hpp"

namespace rehearse {

// That an answer rests on too few requests (metrics/arrival_window.hpp), and how many are enough.
std::vector<std::string> notes_of(const Plan& plan, const Sizing& sizing);

// Whether the largest rate does, or, without one, the lowest that was simulated.
bool rests_on_too_few(const LargestRate& rate);

}  // namespace rehearse
