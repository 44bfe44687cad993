// What a plan's service can reach at best, without simulating it: for a search, which needs to know
// what cannot win and what cannot run.
#pragma once

#include <string>

#include "cluster/cluster.hpp"
#include "metrics/metrics.hpp"
#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

struct ServiceBound {
  // Why no such service can begin, in words that are the same for all layouts; empty: it can.
  std::string refusal = {};
  Metrics metrics = {};
};

// Metrics with the fields that SearchQuantity::bounded names, and memory. Its GPUs are exact; its
// rates are at most what all requests bring over the window, where requests come at dates of their
// own; its memory is what is held before the first request. Times are 0: nothing is known that any
// engine takes at least. Refused is what has no room for keys and values, or for one of the
// requests.
//
// Throws InputError as engine_of does. REQUIRES: plan.serve without pools, check_layout passed.
ServiceBound bound_of_service(const Plan& plan, const Model& model, Cluster& cluster);

}  // namespace rehearse
