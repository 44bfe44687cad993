// Shares measured elsewhere: the plan's load table, by layer and expert. A table with rows for
// several iterations drifts: between two of them the shares are interpolated. ExpertShares reads
// it, which knows layer and iteration.
#include "routing/models/models.hpp"

namespace rehearse {

const TokenRouting kTableRouting = {
    "table", "table",
    [](const Routing& choice, const MixtureOfExperts&) -> TokenRouting::Refusal {
      if (!choice.table.empty()) return {};
      return {"routing.table", "routing.model = \"table\" needs routing.table: the file"};
    },
    nullptr};

}  // namespace rehearse
