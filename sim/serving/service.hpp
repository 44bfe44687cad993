// Replicas of an engine behind a router, and the requests that come to them.
//
// Everything happens in the order of dates (agenda.hpp).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/serve.hpp"
#include "serving/agenda.hpp"
#include "serving/engine.hpp"
#include "serving/kv_links.hpp"
#include "serving/router.hpp"

namespace rehearse::serving {

// Engines that only prefill and engines that only decode; pools.cpp says how a request gets from
// one to the other.
struct PoolSettings {
  EngineSettings prefill;
  EngineSettings decode;
  int prefill_engines = 1;
  int decode_engines = 1;
  KvTransfer transfer = KvTransfer::kPull;
};

struct ServiceSettings {
  EngineSettings engine;
  int engines = 1;                          // each of engine.ranks replicas
  std::optional<PoolSettings> pools = {};   // instead of these engines
  std::string_view router = "round_robin";  // each pool has one of its own
  // So many requests at a time, the next as soon as one ends, whatever their arrivals say; 0: they
  // come when they come.
  int concurrency = 0;
  LogSpan logged = {};  // nothing; kWholeRun: all
};

struct ServedRequest {
  Phase phase = Phase::kToCome;  // in the end kFinished, or kRefused: longer than the engine takes
  int replica = -1;              // that decodes it, where there are pools
  Picoseconds arrival = 0;
  Picoseconds first_scheduled = 0;  // its first step starts: until then it queued
  Picoseconds first_token = 0;
  Picoseconds last_token = 0;
  int preemptions = 0;
  int cached_tokens = 0;
  std::vector<TokenRun> token_runs = {};

  // Of pools; a request that was never decoded, because it got its one token from its prefill, has
  // a replica there all the same.
  int prefill_replica = -1;
  bool first_at_prefill = false;   // then token_runs are of the tokens behind the first
  Picoseconds prefilled = 0;       // its prefill ended
  Picoseconds transfer_start = 0;  // of the first, where each chunk is sent
  Picoseconds transfer_end = 0;    // of the last
  std::int64_t transferred = 0;    // tokens
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
  int ranks = 1;                  // of an engine; of a decode engine, where there are pools
  // Of pools: the engines of the prefill pool are the first. A replica belongs to engine
  // replica / ranks, a prefill replica to prefill_replica / prefill_ranks.
  int prefill_engines = 0;
  int prefill_ranks = 1;
  int refused = 0;
  // Little's law: requests in the system, summed over time, and their times in it. The same.
  using RequestPicoseconds = Occupancy::RequestPicoseconds;
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

// REQUIRES, besides: settings.pools, and refusal() of it is empty.
ServiceResult serve(const std::vector<Offered>& offered, const ServiceSettings& settings,
                    StepPrice& prefill, StepPrice& decode, KvLinks& links);

// Why no pools run like that; empty: some do.
std::string refusal(const PoolSettings& settings);

// start_s,end_s,request,tokens,context: a line per request and step, dates with twelve digits.
std::string steps_csv(const ServiceResult& result);

}  // namespace rehearse::serving
