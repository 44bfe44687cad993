// The loop over dates. Each engine has at most one thing that it does next by itself, so a heap
// holds a date per engine; one that has changed its mind meanwhile leaves a stale date there, which
// is recognised by its number.
#include "serving/service.hpp"

#include <algorithm>
#include <queue>
#include <tuple>

#include "base/error.hpp"

namespace rehearse::serving {
namespace {

enum class Kind { kEnd, kArrival, kTurn };

struct Event {
  Picoseconds when = 0;
  Kind kind = Kind::kEnd;
  int whose = 0;  // engine, or request
  std::uint64_t number = 0;

  bool operator>(const Event& other) const {
    return std::tie(when, kind, whose, number) >
           std::tie(other.when, other.kind, other.whose, other.number);
  }
};

class Service {
 public:
  Service(const std::vector<Offered>& offered, const ServiceSettings& settings, StepPrice& price);

  ServiceResult run();

 private:
  void come(int request, Picoseconds when);
  void expect(int engine);
  void arrive(int request, Picoseconds now);
  void refuse(int request, Picoseconds now);
  void end_step(int engine, Picoseconds now);
  void leave(int request, Picoseconds now);
  void handle(const Event& event);
  void nobody_comes(Picoseconds now);
  void account(Picoseconds now, int change);
  ServiceResult result();

  const ServiceSettings& settings_;
  const std::vector<Offered>& offered_;
  Requests requests_;
  std::vector<std::unique_ptr<Engine>> engines_;
  std::vector<ReplicaView> replicas_;
  std::unique_ptr<Router> router_;
  bool reads_memory_ = false;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<std::uint64_t> numbers_;  // of each engine's next event
  std::vector<std::vector<int>> turns_after_;
  std::vector<int> finished_;
  std::size_t next_in_line_ = 0;  // with a limited concurrency
  std::size_t to_come_ = 0;
  std::size_t left_ = 0;
  bool asked_ = false;  // all engines, since a step ended or somebody came, what they wait for
  int here_ = 0;
  Picoseconds last_ = 0;
  std::int64_t arrivals_ = 0;
  ServiceResult result_;
};

Service::Service(const std::vector<Offered>& offered, const ServiceSettings& settings,
                 StepPrice& price)
    : settings_(settings), offered_(offered), requests_(offered.size()) {
  SIM_CHECK(settings.engines >= 1, "no engine");
  for (int engine = 0; engine < settings.engines; ++engine) {
    engines_.push_back(
        std::make_unique<Engine>(settings_.engine, requests_, price, settings.log_steps));
    for (int rank = 0; rank < settings.engine.ranks; ++rank) {
      replicas_.push_back({&engines_.back()->scheduler(rank)});
    }
  }
  const RouterKind* kind = router_named(settings.router);
  SIM_CHECK(kind != nullptr, "no router of that name");
  router_ = kind->make(settings_.engine);
  reads_memory_ = kind->reads_memory;
  numbers_.assign(engines_.size(), 0);
  turns_after_.resize(offered.size());
  to_come_ = offered.size();
  const int limit = settings.concurrency;
  for (std::size_t request = 0; request < offered.size(); ++request) {
    const Offered& its = offered[request];
    SIM_CHECK(its.prompt >= 1 && its.output >= 1 && its.id_tokens >= 1, "an empty request");
    requests_[request].offered = &its;
    if (its.after >= 0) {
      SIM_CHECK(its.after < static_cast<int>(request), "a turn before the turn before it");
      turns_after_[its.after].push_back(static_cast<int>(request));
    } else if (limit == 0) {
      come(static_cast<int>(request), its.arrival);
    }
  }
  for (int client = 0; client < limit; ++client) leave(-1, 0);
}

void Service::come(int request, Picoseconds when) {
  events_.push({when, Kind::kArrival, request, 0});
}

void Service::expect(int engine) {
  const Engine& its = *engines_[engine];
  const std::uint64_t number = ++numbers_[engine];
  if (its.next_end() != kNever) events_.push({its.next_end(), Kind::kEnd, engine, number});
  if (its.next_schedule() != kNever) {
    events_.push({its.next_schedule(), Kind::kTurn, engine, number});
  }
}

void Service::account(Picoseconds now, int change) {
  result_.area += static_cast<ServiceResult::RequestPicoseconds>(here_) * (now - last_);
  here_ += change;
  last_ = now;
}

// A request has gone, -1: nobody; who waited for it comes.
void Service::leave(int request, Picoseconds now) {
  if (request >= 0) {
    for (const int turn : turns_after_[request]) come(turn, now + offered_[turn].think);
    if (!turns_after_[request].empty() || settings_.concurrency == 0) return;
  }
  while (next_in_line_ < offered_.size() && offered_[next_in_line_].after >= 0) ++next_in_line_;
  if (next_in_line_ < offered_.size()) come(static_cast<int>(next_in_line_++), now);
}

void Service::refuse(int request, Picoseconds now) {
  requests_[request].phase = Phase::kRefused;
  ++result_.refused;
  ++left_;
  leave(request, now);
}

void Service::arrive(int request, Picoseconds now) {
  RequestState& its = requests_[request];
  its.arrival = now;
  --to_come_;
  asked_ = false;
  const int limit = settings_.engine.max_model_len;
  if ((limit > 0 && its.offered->length() > limit) ||
      !replicas_.front().scheduler->fits(*its.offered)) {
    refuse(request, now);
  } else {
    account(now, 1);
    if (reads_memory_) {
      for (std::size_t engine = 0; engine < engines_.size(); ++engine) {
        engines_[engine]->settle(now);
        expect(static_cast<int>(engine));
      }
    }
    its.queue_rank = arrivals_++;
    its.replica = router_->choose(request, replicas_);
    const int engine = its.replica / settings_.engine.ranks;
    engines_[engine]->arrived(request, its.replica % settings_.engine.ranks, now);
    expect(engine);
  }
  if (to_come_ == 0) nobody_comes(now);
}

void Service::nobody_comes(Picoseconds now) {
  for (std::size_t engine = 0; engine < engines_.size(); ++engine) {
    engines_[engine]->no_more_come(now);
    expect(static_cast<int>(engine));
  }
}

void Service::end_step(int engine, Picoseconds now) {
  asked_ = false;
  finished_.clear();
  engines_[engine]->end_step(finished_);
  for (const int request : finished_) {
    RequestState& its = requests_[request];
    SIM_CHECK(its.generated == its.output(), "a request ended without its tokens");
    its.finished = now;
    result_.sojourn += now - its.arrival;
    ++left_;
    account(now, -1);
    leave(request, now);
    its.keys = {};
    if (its.blocks.empty()) its.blocks = {};  // and the memory of the list
  }
}

void Service::handle(const Event& event) {
  if (event.kind == Kind::kArrival) {
    arrive(event.whose, event.when);
    return;
  }
  if (event.number != numbers_[event.whose]) return;
  if (event.kind == Kind::kEnd) {
    end_step(event.whose, event.when);
  } else {
    engines_[event.whose]->schedule();
  }
  expect(event.whose);
}

ServiceResult Service::run() {
  Picoseconds now = 0;
  while (left_ < offered_.size()) {
    if (events_.empty()) {
      // All wait for all: a batch that is not full cannot be waited for any longer.
      SIM_CHECK(!asked_, "requests wait, and nothing happens any more");
      asked_ = true;
      nobody_comes(now);
    }
    const Event event = events_.top();
    events_.pop();
    SIM_CHECK(event.when >= now, "a date before the one before it");
    now = event.when;
    handle(event);
  }
  return result();
}

ServiceResult Service::result() {
  SIM_CHECK(result_.area == result_.sojourn, "Little's law does not hold");
  SIM_CHECK(here_ == 0, "requests are still there");
  for (const ReplicaView& replica : replicas_) {
    SIM_CHECK(!replica.scheduler->has_requests(), "a scheduler still has requests");
    replica.scheduler->check();
  }
  result_.ranks = settings_.engine.ranks;
  for (std::size_t engine = 0; engine < engines_.size(); ++engine) {
    result_.totals.push_back(engines_[engine]->totals());
    result_.handed_out.push_back(engines_[engine]->handed_out());
    for (const StepRecord& step : engines_[engine]->log()) {
      result_.steps.push_back({static_cast<int>(engine), step});
    }
  }
  for (RequestState& its : requests_) {
    ServedRequest served;
    served.phase = its.phase;
    served.arrival = its.arrival;
    if (its.phase == Phase::kFinished) {
      const std::vector<Picoseconds>& ends =
          result_.handed_out[its.replica / settings_.engine.ranks];
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
  result_.end = last_;
  return std::move(result_);
}

}  // namespace

std::vector<Picoseconds> ServiceResult::token_times(int request) const {
  const ServedRequest& its = requests[request];
  std::vector<Picoseconds> times;
  for (const TokenRun& run : its.token_runs) {
    for (std::int64_t at = 0; at < run.count; ++at) {
      times.push_back(handed_out[its.replica / ranks][run.first + at * run.stride]);
    }
  }
  return times;
}

ServiceResult serve(const std::vector<Offered>& offered, const ServiceSettings& settings,
                    StepPrice& price) {
  return Service(offered, settings, price).run();
}

}  // namespace rehearse::serving
