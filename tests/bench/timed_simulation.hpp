// One simulate() of a plan in a process of its own, as a benchmark reports it.
#pragma once

#include <benchmark/benchmark.h>

#include "catalog/write_platform.hpp"
#include "plan/plan.hpp"

namespace rehearse {

// Simulates `plan` on the cluster of `platform` with the mixture of experts of 61 layers and 256
// experts, every rank or folded, once per iteration. Time: CPU time of simulate(), the loading of
// the platform included. Counters: rank_ops that were simulated, ns_per_rank_op, and
// bytes_per_rank, of the whole process at its peak over the simulated ranks.
void report_simulation(benchmark::State& state, Plan plan, const PlatformRequest& platform,
                       bool fold);

}  // namespace rehearse
