// Replicas of an engine behind a router, and the requests that come to them.
//
// Everything happens in the order of dates; at equal dates steps end first, then requests arrive,
// then engines schedule, each in the order of engines and requests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "serving/engine.hpp"
#include "serving/router.hpp"

namespace rehearse::serving {

struct ServiceSettings {
  EngineSettings engine;
  int engines = 1;  // each of engine.ranks replicas
  std::string_view router = "round_robin";
  // So many requests at a time, the next as soon as one ends, whatever their arrivals say; 0: they
  // come when they come.
  int concurrency = 0;
  bool log_steps = false;
};

struct ServedRequest {
  Phase phase = Phase::kToCome;  // in the end kFinished, or kRefused: longer than the engine takes
  int replica = -1;
  Picoseconds arrival = 0;
  Picoseconds first_scheduled = 0;  // its first step starts: until then it queued
  Picoseconds first_token = 0;
  Picoseconds last_token = 0;
  int preemptions = 0;
  int cached_tokens = 0;
  std::vector<TokenRun> token_runs = {};
};

struct LoggedStep {
  int engine = 0;
  StepRecord step;
};

struct ServiceResult {
  std::vector<ServedRequest> requests;               // in the order in which they were offered
  std::vector<EngineTotals> totals;                  // by engine
  std::vector<std::vector<Picoseconds>> handed_out;  // by engine: the ends of its steps
  std::vector<LoggedStep> steps;  // if asked for: by engine, in the order of their starts
  int ranks = 1;                  // of an engine
  int refused = 0;
  // Little's law: requests in the system, summed over time, and their times in it. The same.
  __extension__ typedef __int128 RequestPicoseconds;
  RequestPicoseconds area = 0;
  RequestPicoseconds sojourn = 0;
  Picoseconds end = 0;

  // When a request got its tokens.
  std::vector<Picoseconds> token_times(int request) const;
};

// REQUIRES: refusal(settings.engine) is empty; the offered are in order of arrival, turns of
// sessions after the turns before them.
ServiceResult serve(const std::vector<Offered>& offered, const ServiceSettings& settings,
                    StepPrice& price);

// start_s,end_s,request,tokens,context: a line per request and step, dates with twelve digits.
std::string steps_csv(const ServiceResult& result);

}  // namespace rehearse::serving
