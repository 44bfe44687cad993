#include "service/service_run.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "routing/token_routing.hpp"
#include "serving/router.hpp"

namespace rehearse {
namespace {

serving::Picoseconds picoseconds(Seconds time) {
  constexpr double kPerSecond = 1e12;
  return static_cast<serving::Picoseconds>(std::llround(time.value * kPerSecond));
}

std::vector<int> first_gpus(const Plan& plan, int replicas) {
  std::vector<int> firsts;
  for (int copy = 0; copy < replicas; ++copy) {
    firsts.push_back(copy * plan.layout.gpus());
  }
  return firsts;
}

// A request that no pool can hold would be served never.
void check_room(const Plan& plan, const Serve& serve, const serving::EngineSettings& engine) {
  const double room = 1.0 * engine.kv_blocks * engine.block_tokens;
  const std::vector<Request>& requests = serve.requests;
  for (std::size_t at = 0; at < requests.size(); ++at) {
    const Request& request = requests[at];
    const int length = request.prompt_tokens + request.output_tokens;
    if (engine.max_model_len > 0 && length > engine.max_model_len) continue;  // counted as refused
    if (length - 1 <= room) continue;  // the last token's keys are never written
    throw InputError(
        plan.where.at("serve.traffic"),
        fmt::format("request {} has {} tokens (prompt and output), a replica's pool of "
                    "keys and values {} ({} blocks of {}): serve.engine.max_model_len "
                    "would refuse it",
                    at, length, room, engine.kv_blocks, engine.block_tokens));
  }
}

[[noreturn]] void refuse(const Plan& plan, const std::string& field, const std::string& rule) {
  throw InputError(plan.where.at(field), field + rule);
}

void check_prices(const Plan& plan) {
  if (plan.layout.virtual_stages > 1) {
    refuse(
        plan, "layout.virtual_stages",
        fmt::format(" = {}: engines that serve have one stage a rank", plan.layout.virtual_stages));
  }
  if (plan.network == NetworkLevelName::kExact || plan.network == NetworkLevelName::kSimgrid) {
    refuse(plan, "network", ": steps of serve are priced on the levels fluid and analytic");
  }
}

}  // namespace

void check_service(const Plan& plan, const Model& model, int gpus) {
  const Serve& serve = *plan.serve;
  if (serve.gpus(plan.layout) > gpus) {
    refuse(plan, "serve.replicas",
           fmt::format(" = {} needs {} GPUs, {} each: the platform has {}", serve.replicas,
                       serve.gpus(plan.layout), plan.layout.gpus(), gpus));
  }
  if (serving::router_named(serve.router) == nullptr) {
    refuse(plan, "serve.router",
           fmt::format(" = \"{}\": must be one of {}", serve.router, serving::names_of_routers()));
  }
  if (!routes_tokens(plan, model)) return;
  const char* const field = plan.routing.model != "uniform" ? "routing.model"
                            : plan.capacity.limited         ? "capacity"
                                                            : "placement";
  refuse(plan, field,
         ": with serve only uniform routing without capacity and placement is modelled");
}

std::vector<serving::Offered> offered_of(const Serve& serve) {
  std::vector<serving::Offered> offered;
  offered.reserve(serve.requests.size());
  for (const Request& request : serve.requests) {
    serving::Offered& its = offered.emplace_back();
    its.arrival = picoseconds(request.arrival);
    its.prompt = request.prompt_tokens;
    its.output = request.output_tokens;
    its.priority = request.priority;
    its.id_tokens = serve.block_tokens;
    its.prefix_ids.assign(request.blocks.begin(), request.blocks.end());
    its.ids_of_output = request.blocks_of_output;
    its.after = request.after;
    its.think = picoseconds(request.think);
  }
  return offered;
}

ServicePricer::ServicePricer(const Plan& plan, const Model& model, Cluster& cluster)
    : plan_(plan),
      model_(model),
      cluster_(cluster),
      engine_(engine_of(plan, plan.serve->engine, model, cluster.platform(), "serve.engine")) {
  check_prices(plan);
}

PassPrice& ServicePricer::price_of(int replicas) {
  std::unique_ptr<PassPrice>& price = prices_[replicas];
  if (!price) {
    price = std::make_unique<PassPrice>(plan_, model_, cluster_, first_gpus(plan_, replicas));
  }
  return *price;
}

ServiceRun ServicePricer::run(const Serve& serve) {
  ServiceRun run;
  run.engine = engine_;
  serving::ServiceSettings settings;
  settings.engine = engine_.settings;
  settings.engines = serve.replicas * plan_.layout.data;
  settings.router = serve.router;
  settings.concurrency = serve.concurrency;
  settings.log_steps = serve.engine.log_steps;
  check_room(plan_, serve, settings.engine);
  const std::vector<serving::Offered> offered = offered_of(serve);
  if (serve.engine.step_time) {
    const StepTime& time = *serve.engine.step_time;
    serving::LinearPrice price(picoseconds(time.fixed), picoseconds(time.per_token),
                               picoseconds(time.per_context));
    run.result = serving::serve(offered, settings, price);
    return run;
  }
  run.result = serving::serve(offered, settings, price_of(serve.replicas));
  run.priced = true;
  return run;
}

}  // namespace rehearse
