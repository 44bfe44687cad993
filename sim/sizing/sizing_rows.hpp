// The points of a sizing as a table.
#pragma once

#include "base/table.hpp"
#include "sizing/sizing.hpp"

namespace rehearse {

// A row for each point: `plan`, its own rate and replicas; `largest` and `above`, the largest rate
// and the one above it; `fewest`, `one_less` and `one_more` replicas for the plan's rate, or
// `with_most`, where not even those are enough; and the `curve`.
Table sizing_rows(const Sizing& sizing);

}  // namespace rehearse
