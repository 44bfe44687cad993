// A result with a different number in every field, so that a swapped one shows.
#pragma once

#include "metrics/metrics.hpp"
#include "metrics/result_json.hpp"

namespace rehearse {

inline RunIdentity identity_by_hand() {
  return {"plan-name",       "model-name", "platforms/some.xml",
          "variant-name",    "fluid",      18'000'000'000'000'000'000ULL,
          "0123456789abcdef"};
}

inline Metrics metrics_by_hand() {
  Metrics m;
  m.ranks = 24;
  m.makespan_s = 12.5;
  m.ttft_s = {1.25, 1.5, 1.75, 2, 2.25};
  m.tpot_s = Distribution{0.01, 0.02, 0.03, 0.04, 0.05};
  m.decode_step_s = Distribution{0.011, 0.021, 0.031, 0.041, 0.051};
  m.itl_s = Distribution{0.012, 0.022, 0.032, 0.042, 0.052};
  m.prompt_tokens_per_s = 232000;
  m.output_tokens_per_s = 250;
  m.tokens_per_s = 232250;
  m.tokens_per_ms_per_gpu = 0.052;
  m.output_tokens_per_s_per_gpu = 10.5;
  m.useful_tokens_per_s = 232240;
  m.price = {2.5, 700};
  m.mfu = 0.375;
  m.hfu = 0.4;
  m.compute_busy_fraction = 0.625;
  m.exposed_fraction = 0.1875;
  m.peer_wait_fraction = 0.0625;
  m.bubble_fraction = 0.09375;
  m.no_work_fraction = 0.03125;
  m.communication_over_compute = 0.5;
  m.by_axis = {{Axis::kTensor, 3, 2, 4e9}, {Axis::kPipeline, 0.5, 0.25, 1e6}};
  m.operators = {{"expert_up", 5}, {"tp_all_reduce", 2.5}};
  m.memory = {64e9, 57.6e9, 48e9, 0.75, true, 5, 2.5, {20e9, 15e9, 12e9, 1e9}, ""};
  m.prefill = {22, true};
  m.gpu_compute_max_over_mean = 1.05;
  m.has_experts = true;
  m.model_flops = 1e15;
  m.executed_flops = 1.1e15;
  m.assumptions = {"all requests are there at time 0"};
  return m;
}

inline CriticalPath path_by_hand() {
  CriticalPath path;
  path.to_first_tokens = {2.25, 1.5, 0.25, {}, {{"expert_up", 2.25}}};
  path.to_first_tokens.communication_s[static_cast<int>(Axis::kTensor)] = 0.5;
  path.to_end = {12.5, 12.5, 0, {}, {{"expert_up", 12.5}}};
  return path;
}

}  // namespace rehearse
