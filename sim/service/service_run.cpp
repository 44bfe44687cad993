#include "service/service_run.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "routing/token_routing.hpp"
#include "service/pass_price.hpp"
#include "serving/router.hpp"

namespace rehearse {
namespace {

serving::Picoseconds picoseconds(Seconds time) {
  constexpr double kPerSecond = 1e12;
  return static_cast<serving::Picoseconds>(std::llround(time.value * kPerSecond));
}

std::vector<int> first_gpus(const Plan& plan) {
  std::vector<int> firsts;
  for (int copy = 0; copy < plan.serve->replicas; ++copy) {
    firsts.push_back(copy * plan.layout.gpus());
  }
  return firsts;
}

// A request that no pool can hold would be served never.
void check_room(const Plan& plan, const serving::EngineSettings& engine) {
  const double room = 1.0 * engine.kv_blocks * engine.block_tokens;
  const std::vector<Request>& requests = plan.serve->requests;
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

}  // namespace

void check_service(const Plan& plan, const Model& model) {
  const Serve& serve = *plan.serve;
  if (serving::router_named(serve.router) == nullptr) {
    refuse(plan, "serve.router",
           fmt::format(" = \"{}\": must be one of {}", serve.router, serving::names_of_routers()));
  }
  if (plan.layout.virtual_stages > 1) {
    refuse(
        plan, "layout.virtual_stages",
        fmt::format(" = {}: engines that serve have one stage a rank", plan.layout.virtual_stages));
  }
  if (plan.network == NetworkLevelName::kExact || plan.network == NetworkLevelName::kSimgrid) {
    refuse(plan, "network", ": steps of serve are priced on the levels fluid and analytic");
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
  }
  return offered;
}

ServiceRun run_service(const Plan& plan, const Model& model, Cluster& cluster) {
  const Serve& serve = *plan.serve;
  ServiceRun run;
  run.engine = engine_of(plan, serve.engine, model, cluster.platform(), "serve.engine");
  serving::ServiceSettings settings;
  settings.engine = run.engine.settings;
  settings.engines = serve.replicas * plan.layout.data;
  settings.router = serve.router;
  settings.concurrency = serve.concurrency;
  settings.log_steps = serve.engine.log_steps;
  check_room(plan, settings.engine);
  const std::vector<serving::Offered> offered = offered_of(serve);
  if (serve.engine.step_time) {
    const StepTime& time = *serve.engine.step_time;
    serving::LinearPrice price(picoseconds(time.fixed), picoseconds(time.per_token),
                               picoseconds(time.per_context));
    run.result = serving::serve(offered, settings, price);
    return run;
  }
  PassPrice price(plan, model, cluster, first_gpus(plan));
  run.result = serving::serve(offered, settings, price);
  run.computing_s = price.busy().computing_s;
  run.stepping_s = price.busy().passes_s;
  return run;
}

}  // namespace rehearse
