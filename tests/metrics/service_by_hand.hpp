// Three requests, one after the other, on an engine of steps of 10 ms and 1 ms per token:
//   a  arrives at 0 ms, 5 + 3 tokens: tokens at 15, 26, 37 ms
//   b  arrives at 100 ms, 10 + 1 tokens: its token at 120 ms
//   c  arrives at 200 ms, 5 + 5 tokens: tokens at 215, 226, 237, 248, 259 ms
#pragma once

#include <string_view>
#include <vector>

#include "metrics/service_metrics.hpp"
#include "serving/small_service.hpp"

namespace rehearse {

inline Plan plan_of(const std::vector<serving::Offered>& offered) {
  Plan plan;
  plan.serve.emplace();
  for (const serving::Offered& each : offered) {
    Request request;
    request.arrival = Seconds{static_cast<double>(each.arrival) / 1e12};
    request.in_trace = request.arrival;
    request.prompt_tokens = each.prompt;
    request.output_tokens = each.output;
    request.after = each.after;
    request.think = serving::to_seconds(each.think);
    plan.serve->requests.push_back(request);
  }
  plan.serve->engine.name = "vllm";
  return plan;
}

inline std::vector<serving::Offered> three_requests() {
  using serving::asks;
  using serving::kMs;
  return {asks(5, 3), asks(10, 1, 100 * kMs), asks(5, 5, 200 * kMs)};
}

inline ServiceFigures one_engine() { return {2, 100, 1}; }  // of two GPUs

}  // namespace rehearse
