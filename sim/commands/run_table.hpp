// The figures of a run as a table.
#pragma once

#include "base/table.hpp"
#include "commands/run.hpp"

namespace rehearse {

// A row `run` of every figure of result.json that is not in a list, and of the lists by axis of
// communication and by category of memory. With several seeds rows `mean`, `standard_deviation`,
// `least` and `most` of those figures that seeds move.
Table run_table(const RunReport& report);

}  // namespace rehearse
