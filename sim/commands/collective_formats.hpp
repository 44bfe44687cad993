// The times of a collective for other programs.
#pragma once

#include "base/table.hpp"
#include "commands/collective.hpp"

namespace rehearse {

// A row for each size; its bandwidths in GB/s, as nccl-tests and --batch have them.
Table collective_cells(const CollectiveTable& table);
// {"op", "ranks", "groups", "network", "platform", "library", "assumption", "rows"}: rows as above.
std::string collective_json(const CollectiveOptions& typed, const CollectiveTable& table);

}  // namespace rehearse
