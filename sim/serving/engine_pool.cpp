// An engine changes what it does next whenever something reaches it, so each call that reaches one
// ends with expect(). Routers that read memory are shown it as it is at the date, which cuts runs.
#include "serving/engine_pool.hpp"

#include "base/error.hpp"
#include "serving/service.hpp"

namespace rehearse::serving {

EnginePool::EnginePool(const Shape& shape, const EngineSettings& settings, Requests& requests,
                       StepPrice& price, Agenda& agenda)
    : settings_(settings), requests_(requests), agenda_(agenda), first_(shape.first_engine) {
  SIM_CHECK(shape.engines >= 1, "no engine");
  for (int engine = 0; engine < shape.engines; ++engine) {
    engines_.push_back(std::make_unique<Engine>(settings, requests, price, shape.logged));
    for (int rank = 0; rank < settings.ranks; ++rank) {
      replicas_.push_back({&engines_.back()->scheduler(rank)});
    }
  }
  const RouterKind* kind = router_named(shape.router);
  SIM_CHECK(kind != nullptr, "no router of that name");
  router_ = kind->make(settings);
  reads_memory_ = kind->reads_memory;
  numbers_.assign(engines_.size(), 0);
}

void EnginePool::expect(int engine) {
  const Engine& its = *engines_[engine];
  const std::uint64_t number = ++numbers_[engine];
  if (its.next_end() != kNever) {
    agenda_.push({its.next_end(), EventKind::kStepEnds, first_ + engine, number});
  }
  if (its.next_schedule() != kNever) {
    agenda_.push({its.next_schedule(), EventKind::kTurn, first_ + engine, number});
  }
}

void EnginePool::choose(int request, Picoseconds now) {
  if (reads_memory_) {
    for (int engine = 0; engine < engines(); ++engine) {
      engines_[engine]->settle(now);
      expect(engine);
    }
  }
  requests_[request].replica = router_->choose(request, replicas_);
}

void EnginePool::arrived(int request, Picoseconds now) {
  requests_[request].queue_rank = arrivals_++;
  engines_[engine_of(request)]->arrived(request, rank_of(request), now);
  expect(engine_of(request));
}

void EnginePool::received(int request, Picoseconds now) {
  engines_[engine_of(request)]->received(request, rank_of(request), now);
  expect(engine_of(request));
}

void EnginePool::let_go(int request, Picoseconds now) {
  engines_[engine_of(request)]->let_go(request, rank_of(request), now);
  expect(engine_of(request));
}

void EnginePool::no_more_come(Picoseconds now) {
  for (int engine = 0; engine < engines(); ++engine) {
    engines_[engine]->no_more_come(now);
    expect(engine);
  }
}

const std::vector<Batch>& EnginePool::end_step(int engine, std::vector<int>& finished) {
  engines_[engine - first_]->end_step(finished);
  expect(engine - first_);
  return engines_[engine - first_]->ended();
}

void EnginePool::schedule(int engine) {
  engines_[engine - first_]->schedule();
  expect(engine - first_);
}

void EnginePool::take_reserved(int engine, std::vector<int>& requests) {
  for (int rank = 0; rank < settings_.ranks; ++rank) {
    engines_[engine - first_]->scheduler(rank).take_reserved(requests);
  }
}

void EnginePool::report(ServiceResult& result) const {
  for (const ReplicaView& replica : replicas_) {
    SIM_CHECK(!replica.scheduler->has_requests(), "a scheduler still has requests");
    replica.scheduler->check();
  }
  for (int engine = 0; engine < engines(); ++engine) {
    result.totals.push_back(engines_[engine]->totals_until(result.end));
    result.handed_out.push_back(engines_[engine]->handed_out());
    for (const StepRecord& step : engines_[engine]->log()) {
      result.steps.push_back({first_ + engine, step});
    }
  }
}

}  // namespace rehearse::serving
