// What a deadlocked replay tells its user.
#pragma once

#include <string>
#include <vector>

#include "program/program.hpp"
#include "replay/rank_state.hpp"

namespace rehearse {

// "no rank can make progress: rank 0 waits for L3 tp all_reduce; rank 5 waits for ..." One line;
// the first ranks only when there are many.
std::string describe_waiting(const Programs& programs, const std::vector<RankState>& ranks);

}  // namespace rehearse
