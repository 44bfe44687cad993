// Services whose passes take what the plan says, at constant rates, on a small cluster.
#pragma once

#include <string>

#include "cluster_xml/xml_text.hpp"
#include "graph/small_models.hpp"
#include "replay/small_cluster.hpp"
#include "sizing/sizing.hpp"
#include "traffic/generate.hpp"

namespace rehearse {

struct SmallService {
  double rate = 50;
  int requests = 200;
  int prompt = 1;
  int output = 1;
  int max_sequences = 1;
  int kv_blocks = 1000;
  ArrivalProcess process = ArrivalProcess::kConstant;
  StepTime step = {Seconds{0.01}, {}, {}};
  Slo slo = {Seconds{0.01}, {}, 1.0};
};

inline Plan plan_of(const SmallService& service) {
  Plan plan;
  plan.library.library = "textbook";
  Serve& serve = plan.serve.emplace();
  TrafficLaw& law = serve.law.emplace();
  law.rate = service.rate;
  law.process = service.process;
  law.requests = service.requests;
  law.prompt.tokens = service.prompt;
  law.output.tokens = service.output;
  serve.requests = generate_requests(law, plan.seed, {});
  EngineChoice& engine = serve.engine;
  engine.name = "vllm";
  engine.max_sequences = service.max_sequences;
  engine.kv_blocks = service.kv_blocks;
  engine.asynchronous = false;
  engine.prefix_cache = false;
  engine.step_time = service.step;
  serve.slo = service.slo;
  return plan;
}

// Once in a process.
inline Sizing sized(Plan plan, int gpus, int seeds = 1) {
  const TemporaryXml platform(clique(gpus, {1e9, 0}));
  plan.platform_path = platform.path();
  SizingOptions options;
  options.simulation.memory_limit = Bytes{1e12};
  options.seeds = seeds;
  return size_service(PreparedPlan(plan, small_dense_model()), options);
}

}  // namespace rehearse
