// Prefill and decode apart: what a plan says of each pool, as a plan of its own.
#pragma once

#include <string>

#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

struct PoolOfPlan {
  // With the pool's layout, replicas and engine; without pools and requests. Its layout's fields
  // are where the pool's are written.
  Plan plan;
  std::string field;  // "serve.pools.decode"
  int first_gpu = 0;

  std::string engine_field() const { return field + ".engine"; }
};

// The prefill replicas have the platform's first GPUs, the decode replicas those behind them.
struct PoolsOfPlan {
  PoolOfPlan prefill;
  PoolOfPlan decode;
};

// REQUIRES: plan.serve->pools.
PoolsOfPlan pools_of(const Plan& plan);

// check_layout of what the plan has: its layout, or those of its pools, which together need no more
// than these GPUs. Throws InputError.
void check_layouts(const Plan& plan, const Model& model, int gpus);

}  // namespace rehearse
