// Engines that do the same, behind a router, and what each is going to do next.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "serving/agenda.hpp"
#include "serving/engine.hpp"
#include "serving/router.hpp"

namespace rehearse::serving {

struct ServiceResult;

class EnginePool {
 public:
  struct Shape {
    int engines = 1;
    int first_engine = 0;  // from which they are numbered in the agenda and in results
    std::string_view router;
    LogSpan logged;
  };
  // All has to live as long.
  EnginePool(const Shape& shape, const EngineSettings& settings, Requests& requests,
             StepPrice& price, Agenda& agenda);

  int engines() const { return static_cast<int>(engines_.size()); }
  bool has(int engine) const { return engine >= first_ && engine < first_ + engines(); }
  // Any of its schedulers: they are alike.
  const Scheduler& scheduler() const { return *replicas_.front().scheduler; }
  int engine(int request) const { return first_ + engine_of(request); }  // that it was given to

  // The request has come: a replica of this pool for it, which is noted in its state. That has to
  // be done before arrived().
  void choose(int request, Picoseconds now);
  void arrived(int request, Picoseconds now);
  void no_more_come(Picoseconds now);
  // Prefill and decode apart: see Scheduler.
  void received(int request, Picoseconds now);
  void let_go(int request, Picoseconds now);

  // Whether it is not stale.
  bool valid(const Event& event) const { return event.number == numbers_[event.whose - first_]; }
  // A step of it ends: appends who has all his tokens. Says what was in the step, by rank.
  const std::vector<Batch>& end_step(int engine, std::vector<int>& finished);
  void schedule(int engine);
  // Appends whom its ranks have made room for; see Scheduler.
  void take_reserved(int engine, std::vector<int>& requests);

  // When the request got its tokens: the dates of its engine's steps.
  const std::vector<Picoseconds>& handed_out(const RequestState& its) const {
    return engines_[its.replica / settings_.ranks]->handed_out();
  }
  // Appends totals, dates and steps. SIM_CHECK that nobody is left and blocks add up.
  void report(ServiceResult& result) const;  // REQUIRES: result.end is known

 private:
  void expect(int engine);
  int engine_of(int request) const { return requests_[request].replica / settings_.ranks; }
  int rank_of(int request) const { return requests_[request].replica % settings_.ranks; }

  const EngineSettings& settings_;
  Requests& requests_;
  Agenda& agenda_;
  const int first_;
  std::vector<std::unique_ptr<Engine>> engines_;
  std::vector<ReplicaView> replicas_;
  std::unique_ptr<Router> router_;
  bool reads_memory_ = false;
  std::vector<std::uint64_t> numbers_;  // of each engine's next event
  std::int64_t arrivals_ = 0;
};

}  // namespace rehearse::serving
