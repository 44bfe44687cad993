#include "service/pools_of_plan.hpp"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "base/error.hpp"
#include "layout/layout.hpp"
#include "layout/layout_rules.hpp"

namespace rehearse {
namespace {

constexpr const char* kLayout = "layout";

PoolOfPlan pool_of(Plan plan, const ServingPool& pool, const std::string& field, int first_gpu) {
  plan.layout = pool.layout;
  plan.serve->engine = pool.engine;
  plan.serve->replicas = pool.replicas;
  return {std::move(plan), field, first_gpu};
}

// "layout.tensor" is one of the pool's.
std::string in_pool(const std::string& message, const std::string& pool) {
  const std::string field = std::string(kLayout) + ".";
  std::string text;
  std::size_t from = 0;
  for (std::size_t at = message.find(field); at != std::string::npos;
       at = message.find(field, from)) {
    text += message.substr(from, at - from);
    if (at == 0 || message[at - 1] == ' ') text += pool + ".";
    text += field;
    from = at + field.size();
  }
  return text + message.substr(from);
}

void check_pool(const Plan& plan, const PoolOfPlan& pool, const Model& model) {
  // How many GPUs there are is asked of both pools together.
  const BrokenRule broken =
      broken_rule(pool.plan, model, std::numeric_limits<int>::max(), plan.platform_path);
  if (broken.reason.empty()) return;
  const bool of_layout = broken.field.starts_with(kLayout);
  throw InputError(plan.where.at(of_layout ? pool.field + "." + broken.field : broken.field),
                   in_pool(broken.reason, pool.field));
}

}  // namespace

PoolsOfPlan pools_of(const Plan& plan) {
  const ServingPools& pools = *plan.serve->pools;
  Plan alone = plan;
  alone.serve->requests.clear();
  alone.serve->pools.reset();
  const int behind = pools.prefill.replicas * pools.prefill.layout.gpus();
  return {pool_of(alone, pools.prefill, "serve.pools.prefill", 0),
          pool_of(alone, pools.decode, "serve.pools.decode", behind)};
}

void check_layouts(const Plan& plan, const Model& model, int gpus) {
  if (!plan.serve || !plan.serve->pools) {
    check_layout(plan, model, gpus, plan.platform_path);
    return;
  }
  const PoolsOfPlan pools = pools_of(plan);
  check_pool(plan, pools.prefill, model);
  check_pool(plan, pools.decode, model);
  const int needed = plan.serve->gpus(plan.layout);
  if (needed <= gpus) return;
  const ServingPool& prefill = plan.serve->pools->prefill;
  const ServingPool& decode = plan.serve->pools->decode;
  throw InputError(
      plan.where.at("serve.pools"),
      fmt::format("serve.pools: {} prefill replicas of {} GPUs and {} decode replicas of {} need "
                  "{} GPUs, the platform {} has {}",
                  prefill.replicas, prefill.layout.gpus(), decode.replicas, decode.layout.gpus(),
                  needed, plan.platform_path, gpus));
}

}  // namespace rehearse
