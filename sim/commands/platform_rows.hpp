// A described platform as a table, for other programs.
#pragma once

#include <optional>

#include "base/table.hpp"
#include "cluster/bisection.hpp"
#include "cluster/cluster.hpp"

namespace rehearse {

// Rows `device`, a kind of GPU; `link`, links of the same bandwidth; `bisection`, one direction;
// and of the route from one GPU to another `route` and its `route_link`s. Of one GPU alone there is
// neither bisection nor route.
Table platform_rows(Cluster& cluster, const std::optional<Bisection>& bisection, int from, int to);
// {"platform": PATH, "rows": [...]}
std::string platform_json(const Cluster& cluster, const Table& rows);

}  // namespace rehearse
