// Who holds what, as a table: the memory and the groups of every rank.
#pragma once

#include "base/table.hpp"
#include "plan/plan.hpp"
#include "platform/platform.hpp"
#include "program/program.hpp"

namespace rehearse {

// A row for each rank. Of its group of an axis the number: ranks with the same one are together.
// Memory as `show` prints it: at most, before any simulation.
Table rank_rows(const Plan& plan, const Platform& platform, const Programs& programs);

}  // namespace rehearse
