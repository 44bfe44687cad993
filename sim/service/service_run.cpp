// Without pools a plan is one pool of engines that do the same; with pools it is two, each with a
// plan of its own, whose steps are priced on its own GPUs.
#include "service/service_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "routing/expected_loads.hpp"
#include "routing/token_routing.hpp"
#include "service/kv_flows.hpp"
#include "serving/router.hpp"

namespace rehearse {
namespace {

std::vector<int> first_gpus(const Plan& plan, int first, int replicas) {
  std::vector<int> firsts;
  firsts.reserve(replicas);
  for (int copy = 0; copy < replicas; ++copy) {
    firsts.push_back(first + copy * plan.layout.gpus());
  }
  return firsts;
}

// Whose pool of keys and values a request has to go in.
struct Room {
  const char* replica = "a replica";
  bool prompt_only = false;
  std::string engine_field = "serve.engine";
};

bool takes(const serving::EngineSettings& engine, int length) {
  return engine.max_model_len <= 0 || length <= engine.max_model_len;  // else counted as refused
}

// The last token's keys are never written.
bool has_room(const serving::EngineSettings& engine, int length) {
  return length - 1 <= 1.0 * engine.kv_blocks * engine.block_tokens;
}

int length_of(const Request& request, bool prompt_only) {
  return request.prompt_tokens + (prompt_only ? 1 : request.output_tokens);
}

int first_without_room(const Serve& serve, const serving::EngineSettings& engine,
                       bool prompt_only) {
  const auto found =
      std::find_if(serve.requests.begin(), serve.requests.end(), [&](const Request& each) {
        const int length = length_of(each, prompt_only);
        return takes(engine, length) && !has_room(engine, length);
      });
  return found == serve.requests.end() ? -1 : static_cast<int>(found - serve.requests.begin());
}

// A request that no pool can hold would be served never.
void check_room(const Plan& plan, const Serve& serve, const serving::EngineSettings& engine,
                const Room& of) {
  const int at = first_without_room(serve, engine, of.prompt_only);
  if (at < 0) return;
  const Request& request = serve.requests[at];
  throw InputError(
      plan.where.at("serve.traffic"),
      fmt::format("request {} has {} tokens ({}), {}'s pool of keys and values {} ({} blocks of "
                  "{}): {}.max_model_len would refuse it",
                  at, of.prompt_only ? request.prompt_tokens : length_of(request, false),
                  of.prompt_only ? "prompt" : "prompt and output", of.replica,
                  1.0 * engine.kv_blocks * engine.block_tokens, engine.kv_blocks,
                  engine.block_tokens, of.engine_field));
}

[[noreturn]] void refuse(const Plan& plan, const std::string& field, const std::string& rule) {
  throw InputError(plan.where.at(field), field + rule);
}

void check_level(const Plan& plan) {
  if (plan.network == NetworkLevelName::kExact || plan.network == NetworkLevelName::kSimgrid) {
    refuse(plan, "network", ": steps of serve are priced on the levels fluid and analytic");
  }
}

void check_router(const Plan& plan) {
  const std::string& router = plan.serve->router;
  if (serving::router_named(router) != nullptr) return;
  refuse(plan, "serve.router",
         fmt::format(" = \"{}\": {}", router, name_rule(router, serving::names_of_routers())));
}

void check_loads(const Plan& plan, const Model& model) {
  const ExpectedLoads::Refusal refusal = ExpectedLoads::refusal(plan, model);
  if (!refusal.field.empty()) refuse(plan, refusal.field, refusal.rule);
}

void check_prices(const Plan& plan) {
  const auto check_stages = [&](const Layout& layout, const std::string& path) {
    if (layout.virtual_stages == 1) return;
    refuse(plan, path + "layout.virtual_stages",
           fmt::format(" = {}: engines that serve have one stage a rank", layout.virtual_stages));
  };
  if (plan.serve->pools) {
    check_stages(plan.serve->pools->prefill.layout, "serve.pools.prefill.");
    check_stages(plan.serve->pools->decode.layout, "serve.pools.decode.");
  } else {
    check_stages(plan.layout, "");
  }
  check_level(plan);
}

}  // namespace

int first_without_room(const Serve& serve, const serving::EngineSettings& engine) {
  return first_without_room(serve, engine, false);
}

void check_service_choices(const Plan& plan, const Model& model) {
  check_prices(plan);
  check_scheduler(plan, plan.serve->engine, "serve.engine");
  check_router(plan);
  check_loads(plan, model);
}

void check_service(const Plan& plan, const Model& model, int gpus) {
  const Serve& serve = *plan.serve;
  if (!serve.pools && serve.gpus(plan.layout) > gpus) {
    refuse(plan, "serve.replicas",
           fmt::format(" = {} needs {} GPUs, {} each: the platform has {}", serve.replicas,
                       serve.gpus(plan.layout), plan.layout.gpus(), gpus));
  }
  check_router(plan);
  check_loads(plan, model);
  if (!serve.pools) return;
  const PoolsOfPlan pools = pools_of(plan);
  check_routing(pools.prefill.plan, model);
  check_routing(pools.decode.plan, model);
}

std::vector<serving::Offered> offered_of(const Serve& serve) {
  std::vector<serving::Offered> offered;
  offered.reserve(serve.requests.size());
  for (const Request& request : serve.requests) {
    serving::Offered& its = offered.emplace_back();
    if (request.arrival > serving::to_seconds(serving::kLatest)) throw serving::LastsTooLong();
    its.arrival = serving::to_picoseconds(request.arrival);
    its.prompt = request.prompt_tokens;
    its.output = request.output_tokens;
    its.priority = request.priority;
    its.id_tokens = serve.block_tokens;
    its.prefix_ids.assign(request.blocks.begin(), request.blocks.end());
    its.ids_of_output = request.blocks_of_output;
    its.after = request.after;
    its.think = serving::to_picoseconds(request.think);
  }
  return offered;
}

ServicePricer::ServicePricer(const Plan& plan, const Model& model, Cluster& cluster)
    : plan_(plan),
      model_(model),
      cluster_(cluster),
      plans_(plan.serve->pools ? std::make_unique<const PoolsOfPlan>(pools_of(plan)) : nullptr) {
  check_prices(plan);
  if (!plans_) {
    add_pool(plan, "serve", 0);
    return;
  }
  for (const PoolOfPlan* each : {&plans_->prefill, &plans_->decode}) {
    add_pool(each->plan, each->field, each->first_gpu);
  }
  serving::PoolSettings pools;
  pools.prefill = pools_.front().engine.settings;
  pools.decode = pools_.back().engine.settings;
  const std::string why_not = serving::refusal(pools);
  if (!why_not.empty()) refuse(plan, "serve.pools", ": " + why_not);
}

void ServicePricer::add_pool(const Plan& plan, const std::string& field, int first_gpu) {
  pools_.push_back({plan, field,
                    advised_engine_of(plan, plan.serve->engine, model_, cluster_.platform(),
                                      field + ".engine", first_gpu)});
}

// In place of that of passes; nothing where the plan gives none.
std::unique_ptr<serving::StepPrice> ServicePricer::own_price(const EngineChoice& choice) const {
  if (!choice.step_time) return nullptr;
  const StepTime& time = *choice.step_time;
  return std::make_unique<serving::LinearPrice>(serving::to_picoseconds(time.fixed),
                                                serving::to_picoseconds(time.per_token),
                                                serving::to_picoseconds(time.per_context));
}

PassPrice& ServicePricer::price_of(Pool& pool, int first_gpu, int replicas) {
  std::unique_ptr<PassPrice>& price = pool.prices[{first_gpu, replicas}];
  if (!price) {
    price = std::make_unique<PassPrice>(pool.plan, model_, cluster_,
                                        first_gpus(pool.plan, first_gpu, replicas));
  }
  return *price;
}

void ServicePricer::run_alike(const Serve& serve, serving::ServiceSettings settings,
                              ServiceRun& run) {
  settings.engine = run.engine.settings;
  settings.engines = serve.replicas * plan_.layout.data;
  check_room(plan_, serve, settings.engine, {});
  const std::unique_ptr<serving::StepPrice> own = own_price(serve.engine);
  run.priced = own == nullptr;
  run.result = serving::serve(offered_of(serve), settings,
                              own ? *own : price_of(pools_.front(), 0, serve.replicas));
}

void ServicePricer::run_apart(const Serve& serve, serving::ServiceSettings settings,
                              ServiceRun& run) {
  const ServingPool& prefill = serve.pools->prefill;
  const ServingPool& decode = serve.pools->decode;
  run.prefill = pools_.front().engine;
  serving::PoolSettings& pools = settings.pools.emplace();
  pools.prefill = run.prefill->settings;
  pools.decode = run.engine.settings;
  pools.prefill_engines = prefill.replicas * prefill.layout.data;
  pools.decode_engines = decode.replicas * decode.layout.data;
  pools.transfer = serve.pools->transfer;
  check_room(plan_, serve, pools.prefill,
             {"a prefill replica", true, pools_.front().field + ".engine"});
  check_room(plan_, serve, pools.decode,
             {"a decode replica", false, pools_.back().field + ".engine"});
  const int behind = prefill.replicas * prefill.layout.gpus();
  const std::unique_ptr<serving::StepPrice> own_prefill = own_price(prefill.engine);
  const std::unique_ptr<serving::StepPrice> own_decode = own_price(decode.engine);
  run.priced = own_prefill == nullptr && own_decode == nullptr;
  const bool draft_both = run.prefill->drafts_by_prediction && run.engine.drafts_by_prediction;
  run.sent = kv_shares(model_, prefill.layout, decode.layout, draft_both);
  KvFlows links(model_, cluster_,
                {prefill.layout, pools.prefill.ranks, 0, run.prefill->drafts_by_prediction},
                {decode.layout, pools.decode.ranks, behind, run.engine.drafts_by_prediction});
  run.result = serving::serve(
      offered_of(serve), settings,
      own_prefill ? *own_prefill : price_of(pools_.front(), 0, prefill.replicas),
      own_decode ? *own_decode : price_of(pools_.back(), behind, decode.replicas), links);
}

ServiceRun ServicePricer::run(const Serve& serve, const serving::LogSpan& logged) {
  ServiceRun run;
  run.engine = engine();
  serving::ServiceSettings settings;
  settings.router = serve.router;
  settings.concurrency = serve.concurrency;
  settings.logged = serve.engine.log_steps ? serving::kWholeRun : logged;
  try {
    if (serve.pools) {
      run_apart(serve, std::move(settings), run);
    } else {
      run_alike(serve, std::move(settings), run);
    }
  } catch (const serving::LastsTooLong& error) {
    refuse(plan_, "serve", fmt::format(": the service {}", error.what()));
  }
  return run;
}

}  // namespace rehearse
