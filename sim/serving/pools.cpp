// Engines that prefill and engines that decode (vLLM docs on disaggregated prefilling with NIXL;
// SGLang's srt/disaggregation; both of 2025/26). Each pool has a router, and knows a request as one
// of its own: in the prefill pool it asks for one token, and its blocks stay when it has ended.
//
// pull: the request is prefilled; then a decode replica is chosen, makes room for the prompt when
//   its queue comes to it, and fetches keys and values. It computes the last token of the prompt
//   again, and that step gives the client his first token; the one of the prefill is dropped.
// push: both replicas are chosen at once. The decode replica makes room, then the prefill begins,
//   and sends whole pages of each chunk when its step has ended. The first token is the prefill's,
//   at the end of its last step; decoding begins when all has come. Who wants one token has it by
//   then, but his keys and values are sent all the same.
//
// Nothing waits for ever. A prefill needs nothing of the decode pool once it may begin, so it ends;
// a transfer needs room that it has, so it ends; and whoever has received all needs no block to
// take its place (vLLM), or takes it in the memory of those who can be retracted (SGLang). Who is
// preempted in the decode pool is computed again there, prompt and output as one prompt, and holds
// nothing while he waits; so each request holds what cannot be taken from it once, and not for
// ever.
#include <algorithm>

#include "base/error.hpp"
#include "serving/clients.hpp"
#include "serving/engine_pool.hpp"
#include "serving/service.hpp"

namespace rehearse::serving {
namespace {

// What is known of a request beside its states in the pools.
struct Passage {
  Picoseconds prefill_begun = -1;  // it came to its prefill replica
  int sent = 0;                    // tokens whose transfers have begun
  int on_way = 0;                  // transfers
  bool received = false;
  Picoseconds prefilled = -1;
  Picoseconds first_sent = -1;
  Picoseconds last_received = 0;
};

class PooledService {
 public:
  PooledService(const std::vector<Offered>& offered, const ServiceSettings& settings,
                StepPrice& prefill, StepPrice& decode, KvLinks& links);

  ServiceResult run();

 private:
  bool pushes() const { return pools_.transfer == KvTransfer::kPush; }
  bool fits(const Offered& offered, const Offered& prefilled) const;
  void arrive(int request, Picoseconds now);
  void begin_prefill(int request, Picoseconds now);
  void begin_decode(int request, Picoseconds now);
  void handle(const Event& event);
  void end_prefill_step(int engine, Picoseconds now);
  void end_decode_step(int engine, Picoseconds now);
  void end_prefill(int request, Picoseconds now);
  void send_chunks(const std::vector<Batch>& step, Picoseconds now);
  void send(int request, int tokens, Picoseconds now);
  void end_transfers(Picoseconds now);
  void settle_reservations(int engine, Picoseconds now);
  void expect_transfers();
  void end_request(int request, Picoseconds now);
  ServiceResult result();
  ServedRequest served(int request);

  const PoolSettings& pools_;
  const std::vector<Offered>& offered_;
  std::vector<Offered> prefills_;  // the same requests for one token
  Requests at_prefill_;
  Requests at_decode_;
  std::vector<Passage> passages_;
  Agenda agenda_;
  Clients clients_;
  EnginePool prefill_;
  EnginePool decode_;
  KvLinks& links_;
  std::uint64_t transfer_number_ = 0;  // of the next event
  std::vector<int> transfers_;         // whose each is
  std::size_t to_receive_ = 0;         // requests that have come and not been received
  Occupancy here_;
  Occupancy here_prefill_;
  Occupancy here_decode_;
  std::vector<int> some_;
  ServiceResult result_;
};

std::vector<Offered> prefills_of(const std::vector<Offered>& offered) {
  std::vector<Offered> prefills = offered;
  for (Offered& each : prefills) each.output = 1;
  return prefills;
}

PooledService::PooledService(const std::vector<Offered>& offered, const ServiceSettings& settings,
                             StepPrice& prefill, StepPrice& decode, KvLinks& links)
    : pools_(*settings.pools),
      offered_(offered),
      prefills_(prefills_of(offered)),
      at_prefill_(offered.size()),
      at_decode_(offered.size()),
      passages_(offered.size()),
      clients_(offered, settings.concurrency, agenda_),
      prefill_({pools_.prefill_engines, 0, settings.router, settings.logged}, pools_.prefill,
               at_prefill_, prefill, agenda_),
      decode_({pools_.decode_engines, pools_.prefill_engines, settings.router, settings.logged},
              pools_.decode, at_decode_, decode, agenda_),
      links_(links) {
  for (std::size_t request = 0; request < offered.size(); ++request) {
    at_prefill_[request].offered = &prefills_[request];
    at_prefill_[request].keeps_blocks = true;
    RequestState& its = at_decode_[request];
    its.offered = &offered[request];
    its.remote = true;
    its.remote_tokens = pushes() ? its.prompt() : its.prompt() - 1;
  }
}

bool PooledService::fits(const Offered& offered, const Offered& prefilled) const {
  const auto short_enough = [](const EngineSettings& engine, const Offered& its) {
    return engine.max_model_len == 0 || its.length() <= engine.max_model_len;
  };
  return short_enough(pools_.prefill, prefilled) && short_enough(pools_.decode, offered) &&
         prefill_.scheduler().fits(prefilled) && decode_.scheduler().fits_remote(offered);
}

void PooledService::arrive(int request, Picoseconds now) {
  clients_.arrived();
  at_prefill_[request].arrival = now;
  if (!fits(offered_[request], prefills_[request])) {
    at_decode_[request].phase = Phase::kRefused;
    ++result_.refused;
    clients_.gone(request, now);
    return;
  }
  here_.enter(now);
  ++to_receive_;
  prefill_.choose(request, now);
  if (pushes()) {
    begin_decode(request, now);
  } else {
    begin_prefill(request, now);
  }
}

void PooledService::begin_prefill(int request, Picoseconds now) {
  here_prefill_.enter(now);
  passages_[request].prefill_begun = now;
  prefill_.arrived(request, now);
}

void PooledService::begin_decode(int request, Picoseconds now) {
  here_decode_.enter(now);
  at_decode_[request].arrival = now;
  decode_.choose(request, now);
  decode_.arrived(request, now);
  settle_reservations(decode_.engine(request), now);
}

// The decode pool has made room for some.
void PooledService::settle_reservations(int engine, Picoseconds now) {
  some_.clear();
  decode_.take_reserved(engine, some_);
  for (const int request : some_) {
    if (pushes()) {
      begin_prefill(request, now);
    } else {
      send(request, offered_[request].prompt, now);
    }
  }
}

void PooledService::send(int request, int tokens, Picoseconds now) {
  Passage& its = passages_[request];
  if (its.first_sent < 0) its.first_sent = now;
  its.sent += tokens;
  ++its.on_way;
  const int prompt = offered_[request].prompt;
  const KvPart part = {tokens, its.sent == prompt ? prompt : 0};
  links_.start(now, static_cast<int>(transfers_.size()), at_prefill_[request].replica,
               at_decode_[request].replica, part);
  transfers_.push_back(request);
  expect_transfers();
}

void PooledService::expect_transfers() {
  ++transfer_number_;
  const Picoseconds next = links_.next_end();
  if (next != kNever) agenda_.push({next, EventKind::kTransferEnds, 0, transfer_number_});
}

void PooledService::send_chunks(const std::vector<Batch>& step, Picoseconds now) {
  for (const Batch& batch : step) {
    for (const Slice& slice : batch) {
      const RequestState& its = at_prefill_[slice.request];
      if (its.life() != slice.life) continue;  // gone before they were written
      const int there = slice.context + slice.tokens;
      const int page = pools_.prefill.block_tokens;
      const int whole = there == its.prompt() ? there : there / page * page;
      const int fresh = whole - passages_[slice.request].sent;
      if (fresh > 0) send(slice.request, fresh, now);
    }
  }
}

void PooledService::end_prefill_step(int engine, Picoseconds now) {
  some_.clear();
  const std::vector<Batch>& step = prefill_.end_step(engine, some_);
  if (pushes()) send_chunks(step, now);
  for (const int request : some_) end_prefill(request, now);
}

void PooledService::end_prefill(int request, Picoseconds now) {
  Passage& its = passages_[request];
  SIM_CHECK(at_prefill_[request].generated == 1, "a prefill ended without its token");
  its.prefilled = now;
  here_prefill_.leave(now, its.prefill_begun);
  if (!pushes()) {
    agenda_.push({now, EventKind::kDecodeArrival, request, 0});
    return;
  }
  SIM_CHECK(its.sent == offered_[request].prompt, "a prefill ended before all of it was sent");
  at_decode_[request].generated = 1;
  if (offered_[request].output == 1) end_request(request, now);
}

void PooledService::end_transfers(Picoseconds now) {
  some_.clear();
  links_.end(some_);
  expect_transfers();
  for (const int transfer : some_) {
    const int request = transfers_[transfer];
    Passage& its = passages_[request];
    its.last_received = now;
    if (--its.on_way > 0 || its.sent < offered_[request].prompt) continue;
    SIM_CHECK(its.prefilled >= 0 && its.sent == offered_[request].prompt,
              "other tokens were sent than those of the prompt");
    --to_receive_;
    prefill_.let_go(request, now);
    at_prefill_[request].keys = {};
    at_prefill_[request].blocks = {};
    decode_.received(request, now);
    if (at_decode_[request].phase == Phase::kFinished) {
      here_decode_.leave(now, at_decode_[request].arrival);
    }
  }
}

void PooledService::end_decode_step(int engine, Picoseconds now) {
  some_.clear();
  decode_.end_step(engine, some_);
  for (const int request : some_) {
    RequestState& its = at_decode_[request];
    SIM_CHECK(its.generated == its.output(), "a request ended without its tokens");
    here_decode_.leave(now, its.arrival);
    its.keys = {};
    if (its.blocks.empty()) its.blocks = {};
    end_request(request, now);
  }
}

void PooledService::end_request(int request, Picoseconds now) {
  at_decode_[request].finished = now;
  here_.leave(now, at_prefill_[request].arrival);
  clients_.gone(request, now);
}

void PooledService::handle(const Event& event) {
  const Picoseconds now = event.when;
  const int whose = event.whose;
  if (event.kind == EventKind::kArrival) {
    arrive(whose, now);
  } else if (event.kind == EventKind::kDecodeArrival) {
    begin_decode(whose, now);
  } else if (event.kind == EventKind::kTransferEnds) {
    if (event.number == transfer_number_) end_transfers(now);
  } else if (prefill_.has(whose)) {
    if (!prefill_.valid(event)) return;
    if (event.kind == EventKind::kStepEnds) {
      end_prefill_step(whose, now);
    } else {
      prefill_.schedule(whose);
    }
  } else if (decode_.valid(event)) {
    if (event.kind == EventKind::kStepEnds) {
      end_decode_step(whose, now);
    } else {
      decode_.schedule(whose);
      settle_reservations(whose, now);
    }
  }
}

ServiceResult PooledService::run() {
  Picoseconds now = 0;
  while (!clients_.all_gone() || to_receive_ > 0) {
    SIM_CHECK(!agenda_.empty(), "requests wait, and nothing happens any more");
    const Event event = agenda_.top();
    agenda_.pop();
    SIM_CHECK(event.when >= now, "a date before the one before it");
    now = event.when;
    handle(event);
  }
  return result();
}

ServiceResult PooledService::result() {
  for (const Occupancy* each : {&here_, &here_prefill_, &here_decode_}) each->check();
  result_.end = here_.last();
  prefill_.report(result_);
  decode_.report(result_);
  result_.ranks = pools_.decode.ranks;
  result_.prefill_engines = pools_.prefill_engines;
  result_.prefill_ranks = pools_.prefill.ranks;
  result_.area = here_.area();
  result_.sojourn = here_.sojourn();
  for (std::size_t request = 0; request < offered_.size(); ++request) {
    result_.requests.push_back(served(static_cast<int>(request)));
  }
  return std::move(result_);
}

ServedRequest PooledService::served(int request) {
  const RequestState& prefilled = at_prefill_[request];
  RequestState& its = at_decode_[request];
  ServedRequest served;
  served.phase = its.phase;
  served.arrival = prefilled.arrival;
  if (its.phase != Phase::kFinished) return served;
  const Passage& passage = passages_[request];
  served.prefill_replica = prefilled.replica;
  served.replica = pools_.prefill_engines * pools_.decode.ranks + its.replica;
  served.first_scheduled = prefilled.first_scheduled;
  served.prefilled = passage.prefilled;
  served.first_at_prefill = pushes();
  served.transfer_start = passage.first_sent;
  served.transfer_end = passage.last_received;
  served.transferred = passage.sent;
  served.preemptions = prefilled.preemptions + its.preemptions;
  served.cached_tokens = prefilled.cached;
  served.first_token = served.last_token = passage.prefilled;
  if (!its.token_runs.empty()) {
    const std::vector<Picoseconds>& ends = decode_.handed_out(its);
    const TokenRun& last = its.token_runs.back();
    if (!pushes()) served.first_token = ends[its.token_runs.front().first];
    served.last_token = ends[last.first + last.stride * (last.count - 1)];
  }
  served.token_runs = std::move(its.token_runs);
  SIM_CHECK(served.last_token == its.finished, "a request ended at another date than its tokens");
  return served;
}

}  // namespace

std::string refusal(const PoolSettings& settings) {
  if (settings.prefill_engines < 1 || settings.decode_engines < 1) return "a pool of no engines";
  for (const EngineSettings* engine : {&settings.prefill, &settings.decode}) {
    std::string why_not = refusal(*engine);
    if (!why_not.empty()) return why_not;
    if (!scheduler_named(engine->scheduler)->apart) {
      return "prefill and decode apart are not modelled for " + std::string(engine->scheduler);
    }
  }
  return "";
}

ServiceResult serve(const std::vector<Offered>& offered, const ServiceSettings& settings,
                    StepPrice& prefill, StepPrice& decode, KvLinks& links) {
  SIM_CHECK(settings.pools.has_value(), "no pools");
  const std::string why_not = refusal(*settings.pools);
  SIM_CHECK(why_not.empty(), why_not);
  return PooledService(offered, settings, prefill, decode, links).run();
}

}  // namespace rehearse::serving
