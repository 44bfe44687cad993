// The loop over dates, for engines that all do the same; pools.cpp has that for engines of two
// kinds.
#include "serving/service.hpp"

#include "base/error.hpp"
#include "serving/clients.hpp"
#include "serving/engine_pool.hpp"

namespace rehearse::serving {
namespace {

class Service {
 public:
  Service(const std::vector<Offered>& offered, const ServiceSettings& settings, StepPrice& price);

  ServiceResult run();

 private:
  void arrive(int request, Picoseconds now);
  void end_step(int engine, Picoseconds now);
  void handle(const Event& event);
  ServiceResult result();

  const ServiceSettings& settings_;
  Requests requests_;
  Agenda agenda_;
  Clients clients_;
  EnginePool engines_;
  Occupancy here_;
  std::vector<int> finished_;
  bool asked_ = false;  // all engines, since a step ended or somebody came, what they wait for
  ServiceResult result_;
};

Service::Service(const std::vector<Offered>& offered, const ServiceSettings& settings,
                 StepPrice& price)
    : settings_(settings),
      requests_(offered.size()),
      clients_(offered, settings.concurrency, agenda_),
      engines_({settings.engines, 0, settings.router, settings.logged}, settings.engine, requests_,
               price, agenda_) {
  for (std::size_t request = 0; request < offered.size(); ++request) {
    requests_[request].offered = &offered[request];
  }
}

void Service::arrive(int request, Picoseconds now) {
  RequestState& its = requests_[request];
  its.arrival = now;
  clients_.arrived();
  asked_ = false;
  const int limit = settings_.engine.max_model_len;
  if ((limit > 0 && its.offered->length() > limit) || !engines_.scheduler().fits(*its.offered)) {
    its.phase = Phase::kRefused;
    ++result_.refused;
    clients_.gone(request, now);
  } else {
    here_.enter(now);
    engines_.choose(request, now);
    engines_.arrived(request, now);
  }
  if (clients_.all_came()) engines_.no_more_come(now);
}

void Service::end_step(int engine, Picoseconds now) {
  asked_ = false;
  finished_.clear();
  engines_.end_step(engine, finished_);
  for (const int request : finished_) {
    RequestState& its = requests_[request];
    SIM_CHECK(its.generated == its.output(), "a request ended without its tokens");
    its.finished = now;
    here_.leave(now, its.arrival);
    clients_.gone(request, now);
    its.keys = {};
    if (its.blocks.empty()) its.blocks = {};  // and the memory of the list
  }
}

void Service::handle(const Event& event) {
  if (event.kind == EventKind::kArrival) {
    arrive(event.whose, event.when);
  } else if (engines_.valid(event)) {
    if (event.kind == EventKind::kStepEnds) {
      end_step(event.whose, event.when);
    } else {
      engines_.schedule(event.whose);
    }
  }
}

ServiceResult Service::run() {
  Picoseconds now = 0;
  while (!clients_.all_gone()) {
    if (agenda_.empty()) {
      // All wait for all: a batch that is not full cannot be waited for any longer.
      SIM_CHECK(!asked_, "requests wait, and nothing happens any more");
      asked_ = true;
      engines_.no_more_come(now);
    }
    const Event event = agenda_.top();
    agenda_.pop();
    SIM_CHECK(event.when >= now, "a date before the one before it");
    now = event.when;
    handle(event);
  }
  return result();
}

ServiceResult Service::result() {
  here_.check();
  result_.end = here_.last();
  engines_.report(result_);
  result_.ranks = settings_.engine.ranks;
  result_.area = here_.area();
  result_.sojourn = here_.sojourn();
  for (RequestState& its : requests_) {
    ServedRequest served;
    served.phase = its.phase;
    served.arrival = its.arrival;
    if (its.phase == Phase::kFinished) {
      const std::vector<Picoseconds>& ends = engines_.handed_out(its);
      const TokenRun& last = its.token_runs.back();
      served.replica = its.replica;
      served.first_scheduled = its.first_scheduled;
      served.first_token = ends[its.token_runs.front().first];
      served.last_token = ends[last.first + last.stride * (last.count - 1)];
      served.preemptions = its.preemptions;
      served.cached_tokens = its.cached;
      served.token_runs = std::move(its.token_runs);
      SIM_CHECK(served.last_token == its.finished,
                "a request ended at another date than its tokens");
    }
    result_.requests.push_back(std::move(served));
  }
  return std::move(result_);
}

}  // namespace

std::vector<Picoseconds> ServiceResult::token_times(int request) const {
  const ServedRequest& its = requests[request];
  std::vector<Picoseconds> times;
  if (its.phase != Phase::kFinished) return times;
  if (its.first_at_prefill) times.push_back(its.first_token);
  for (const TokenRun& run : its.token_runs) {
    for (std::int64_t at = 0; at < run.count; ++at) {
      times.push_back(handed_out[its.replica / ranks][run.first + at * run.stride]);
    }
  }
  return times;
}

ServiceResult serve(const std::vector<Offered>& offered, const ServiceSettings& settings,
                    StepPrice& price) {
  SIM_CHECK(!settings.pools, "pools have two prices, and links between them");
  return Service(offered, settings, price).run();
}

}  // namespace rehearse::serving
