// What a service amounts to that the serving core simulated by the prices of its steps.
#pragma once

#include <functional>

#include "metrics/metrics.hpp"
#include "plan/plan.hpp"
#include "serving/service.hpp"

namespace rehearse {

// What its result does not say.
struct ServiceFigures {
  int gpus = 1;       // of the whole plan
  int kv_blocks = 0;  // that the requests of a replica can have; 0: as many as they like
  int engines = 1;
  // Of pools; the figures above are then of decode replicas and of all engines.
  int prefill_kv_blocks = 0;
  std::function<double(int prompt_tokens)> sent_bytes = {};  // from one pool to the other
};

// The window of the rates: with arrivals at dates of their own, from the end of the warm-up
// (without one, the first arrival) to the last arrival, so that filling up is in it, but not the
// drain at the end; in a closed loop, or where all come at once, the whole run, as `vllm bench
// serve` has it.
//
// REQUIRES: plan.serve, whose requests the result is of, in their order. Throws InputError where no
// request is left to be counted, or none of them was served.
Serving measure_service(const Plan& plan, const serving::ServiceResult& result,
                        const ServiceFigures& about);

// As far as the service alone says: no platform's price, no memory, no FLOPs, which the caller
// knows. Its rates are those of the window.
Metrics metrics_of_service(Serving serving, const serving::ServiceResult& result,
                           const ServiceFigures& about);

}  // namespace rehearse
