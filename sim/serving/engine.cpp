#include "serving/engine.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"

namespace rehearse::serving {
namespace {

// Of a run that somebody is going to cut, what lies behind is worked out in vain: a few steps
// first, then twice as many.
constexpr std::int64_t kFirstSteps = 16;
constexpr std::int64_t kMostSteps = 1 << 20;

}  // namespace

Engine::Engine(const EngineSettings& settings, Requests& requests, StepPrice& price, LogSpan logged)
    : settings_(settings),
      requests_(requests),
      price_(price),
      logged_(logged),
      stage_free_(settings.stages, 0),
      last_(settings.steps_in_flight()) {
  const std::string why_not = refusal(settings);
  SIM_CHECK(why_not.empty(), why_not);
  const SchedulerKind* kind = scheduler_named(settings.scheduler);
  for (int rank = 0; rank < settings.ranks; ++rank) {
    ranks_.push_back(kind->make(settings, requests));
  }
}

bool Engine::has_work() const {
  return std::any_of(ranks_.begin(), ranks_.end(),
                     [](const auto& rank) { return !rank->waits_for_others(); });
}

void Engine::wait_for(WaitsFor what, Picoseconds when) {
  waits_for_ = what;
  next_ = when;
}

void Engine::arrived(int request, int rank, Picoseconds now) {
  settle(now);
  ranks_[rank]->arrived(request);
  if (waits_for_ == WaitsFor::kArrival) wait_for(WaitsFor::kTurn, std::max(now, host_free_));
}

// Something has happened that may let those go on who are there.
void Engine::wake(Picoseconds now) {
  if (waits_for_ == WaitsFor::kArrival && has_work()) {
    wait_for(WaitsFor::kTurn, std::max(now, host_free_));
  }
}

void Engine::no_more_come(Picoseconds now) {
  settle(now);
  for (const auto& rank : ranks_) rank->no_more_come();
  wake(now);
}

void Engine::received(int request, int rank, Picoseconds now) {
  settle(now);
  ranks_[rank]->received(request);
  wake(now);
}

void Engine::let_go(int request, int rank, Picoseconds now) {
  settle(now);
  ranks_[rank]->let_go(request);
  wake(now);
}

Picoseconds Engine::host_time(const std::vector<Batch>& batches) const {
  std::size_t most = 0;
  for (const Batch& batch : batches) most = std::max(most, batch.size());
  return settings_.host.step + times(settings_.host.request, static_cast<double>(most));
}

std::vector<StepShape> Engine::shapes_of(const std::vector<Batch>& batches) const {
  std::vector<StepShape> shapes;
  shapes.reserve(batches.size());
  for (const Batch& batch : batches) shapes.push_back(shape_of(batch));
  pad(shapes, settings_.graph_sizes);
  return shapes;
}

Engine::Ran Engine::run_step(const std::vector<StepShape>& shapes, Picoseconds turn,
                             Picoseconds host) {
  host_free_ = turn + host;
  Ran ran;
  ran.end = host_free_;
  for (int stage = 0; stage < settings_.stages; ++stage) {
    const Picoseconds begins = std::max(ran.end, stage_free_[stage]);
    if (stage == 0) ran.start = begins;
    ran.end = begins + price_.of(shapes, stage);
    SIM_CHECK(ran.end >= begins, "a step that takes less than no time");
    if (ran.end > kLatest) throw LastsTooLong();
    if (stage == 0) ran.busy = ran.end - begins;
    ran.parts += price_.parts();
    stage_free_[stage] = ran.end;
    if (settings_.stages > 1) ran.end += price_.message(shapes, stage);
  }
  return ran;
}

void Engine::count(const Ran& step) {
  totals_.busy += step.busy;
  totals_.parts += step.parts;
  last_[static_cast<std::size_t>(counted_++) % last_.size()] = step;
}

EngineTotals Engine::totals_until(Picoseconds end) const {
  EngineTotals totals = totals_;
  for (const Ran& step : last_) {
    if (step.end <= end || step.end == step.start) continue;
    const double beyond = static_cast<double>(step.end - std::max(end, step.start)) /
                          static_cast<double>(step.end - step.start);
    const auto part = [&](Picoseconds whole) {
      return static_cast<Picoseconds>(std::ceil(beyond * static_cast<double>(whole)));
    };
    totals.busy -= part(step.busy);
    totals.parts.computing -= part(step.parts.computing);
    totals.parts.network -= part(step.parts.network);
    totals.parts.peers -= part(step.parts.peers);
  }
  return totals;
}

void Engine::record(const std::vector<Batch>& batches, int grown, Picoseconds start,
                    Picoseconds end) {
  if (!logged_.has(start, end)) return;
  for (std::size_t rank = 0; rank < batches.size(); ++rank) {
    StepRecord step = {start, end, static_cast<int>(rank), batches[rank]};
    for (Slice& slice : step.batch) slice.context += grown;
    log_.push_back(std::move(step));
  }
}

void Engine::launch(std::vector<Batch>&& batches, Picoseconds now) {
  const std::vector<StepShape> shapes = shapes_of(batches);
  const Ran step = run_step(shapes, now, host_time(batches));
  count(step);
  ++totals_.steps;
  for (std::size_t rank = 0; rank < shapes.size(); ++rank) {
    totals_.tokens += shapes[rank].tokens;
    totals_.executed += shapes[rank].executed;
    totals_.slices += static_cast<std::int64_t>(batches[rank].size());
    for (const Slice& slice : batches[rank]) {
      RequestState& its = requests_[slice.request];
      if (its.first_scheduled < 0) its.first_scheduled = step.start;
    }
  }
  record(batches, 0, step.start, step.end);
  flights_.push_back({std::move(batches), step.end});
}

// The host after what it did at `now`: it schedules on, or waits for the oldest step.
void Engine::go_on(Picoseconds now) {
  const Picoseconds free = std::max(now, host_free_);
  const bool room = static_cast<int>(flights_.size()) < settings_.steps_in_flight();
  if (room && flights_.front().end > free) {
    wait_for(WaitsFor::kTurn, free);
    return;
  }
  wait_for(WaitsFor::kEnd, std::max(free, flights_.front().end));
  begin_run();
}

std::vector<Batch> Engine::next_batches() {
  ++totals_.events;
  std::vector<Batch> batches;
  for (const auto& rank : ranks_) {
    batches.push_back(rank->schedule());
    totals_.most_blocks = std::max(totals_.most_blocks, rank->used_blocks());
  }
  return batches;
}

void Engine::schedule() {
  SIM_CHECK(waits_for_ == WaitsFor::kTurn, "scheduled out of turn");
  const Picoseconds now = next_;
  const auto nobody = [](const Batch& batch) { return batch.empty(); };
  std::vector<Batch> batches = next_batches();
  bool any = !std::all_of(batches.begin(), batches.end(), nobody);
  if (!any && flights_.empty() && has_work()) {
    // A pass in which SGLang only notices that its batch has emptied; its loop turns on.
    batches = next_batches();
    any = !std::all_of(batches.begin(), batches.end(), nobody);
  }
  const bool together = settings_.ranks > 1;
  if (any) {
    wave_ = together;
    launch(std::move(batches), now);
    go_on(now);
  } else if (!flights_.empty()) {
    wait_for(WaitsFor::kEnd, std::max({now, host_free_, flights_.front().end}));
  } else if (together && wave_ && takes_time(batches)) {
    ++totals_.dummy_steps;
    launch(std::move(batches), now);
    go_on(now);
  } else {
    wave_ = false;
    steps_of_wave_ = 0;
    wait_for(WaitsFor::kArrival, now);
  }
}

// Dummy steps without a time would follow each other at one date for ever, while what their ranks
// wait for comes later.
bool Engine::takes_time(const std::vector<Batch>& batches) const {
  const std::vector<StepShape> shapes = shapes_of(batches);
  Picoseconds time = host_time(batches);
  for (int stage = 0; stage < settings_.stages; ++stage) time += price_.of(shapes, stage);
  return time > 0;
}

void Engine::end_step(std::vector<int>& finished) {
  SIM_CHECK(waits_for_ == WaitsFor::kEnd, "no step that could end");
  ended_.clear();
  if (run_.period > 0) {
    const std::int64_t done = static_cast<std::int64_t>(run_.turns.size());
    if (done < run_.most) {
      extend_run();
      return;
    }
    close_run(done);
  }
  const Picoseconds now = next_;
  const std::int64_t step = static_cast<std::int64_t>(handed_out_.size());
  handed_out_.push_back(now);
  ended_ = std::move(flights_.front().batches);
  flights_.pop_front();
  for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
    ranks_[rank]->ended(ended_[rank], step, finished);
  }
  if (wave_) {
    ++steps_of_wave_;
    if (steps_of_wave_ % settings_.steps_between_checks == 0 && flights_.empty() && !has_work()) {
      wave_ = false;
      steps_of_wave_ = 0;
    }
  }
  const bool goes_on = has_work() || !flights_.empty() || wave_;
  wait_for(goes_on ? WaitsFor::kTurn : WaitsFor::kArrival, now);
}

std::vector<const Batch*> Engine::in_flight(int rank) const {
  std::vector<const Batch*> batches;
  batches.reserve(flights_.size());
  for (const Flight& flight : flights_) batches.push_back(&flight.batches[rank]);
  return batches;
}

// REQUIRES: the host waits for the oldest step.
void Engine::begin_run() {
  const int depth = settings_.steps_in_flight();
  if (!settings_.skip_repeated_steps || static_cast<int>(flights_.size()) < depth) return;
  // A dummy step is taken only when nothing else is in flight, and nobody knows when that is.
  const auto dummy = [](const Flight& flight) {
    return std::all_of(flight.batches.begin(), flight.batches.end(),
                       [](const Batch& batch) { return batch.empty(); });
  };
  if (std::any_of(flights_.begin(), flights_.end(), dummy)) return;
  const int period = settings_.stages > 1 ? depth : 1;
  std::int64_t most = kMostSteps;
  for (int rank = 0; rank < settings_.ranks && most > 0; ++rank) {
    most = ranks_[rank]->repeats(in_flight(rank), period, most);
  }
  if (most <= 0 || !has_work()) return;
  run_.period = period;
  run_.most = most;
  for (const Flight& flight : flights_) run_.ends.push_back(flight.end);
  run_.clocks.push_back(host_free_);
  run_.clocks.insert(run_.clocks.end(), stage_free_.begin(), stage_free_.end());
  extend_run();
}

void Engine::extend_run() {
  const std::int64_t done = static_cast<std::int64_t>(run_.turns.size());
  const std::int64_t until = std::min(run_.most, std::max(kFirstSteps, 2 * done));
  const std::size_t depth = flights_.size();
  // By set: the shapes of its latest step, and what its context grows by with each.
  std::vector<std::vector<StepShape>> shapes;
  std::vector<std::vector<std::int64_t>> contexts;
  std::vector<Picoseconds> host;
  for (int set = 0; set < run_.period; ++set) {
    const Flight& flight = flights_[depth - run_.period + set];
    shapes.push_back(shapes_of(flight.batches));
    contexts.emplace_back();
    for (const StepShape& shape : shapes.back()) contexts.back().push_back(shape.context);
    host.push_back(host_time(flight.batches));
  }
  for (std::int64_t at = done; at < until; ++at) {
    const int set = static_cast<int>(at % run_.period);
    const int grown = static_cast<int>(at / run_.period) + 1;
    for (std::size_t rank = 0; rank < shapes[set].size(); ++rank) {
      StepShape& shape = shapes[set][rank];
      shape.grown = grown;
      shape.context = contexts[set][rank] + grown * shape.tokens;
    }
    const Picoseconds turn = std::max(host_free_, run_.ends[at]);
    run_.steps.push_back(run_step(shapes[set], turn, host[set]));
    run_.ends.push_back(run_.steps.back().end);
    run_.turns.push_back(turn);
    run_.clocks.push_back(host_free_);
    run_.clocks.insert(run_.clocks.end(), stage_free_.begin(), stage_free_.end());
  }
  wait_for(WaitsFor::kEnd, std::max(host_free_, run_.ends[until]));
}

void Engine::settle(Picoseconds now) {
  if (run_.period == 0) return;
  const auto cut = std::lower_bound(run_.turns.begin(), run_.turns.end(), now);
  close_run(cut - run_.turns.begin());
}

void Engine::close_run(std::int64_t times) {
  const int period = run_.period;
  const std::size_t depth = flights_.size();
  const std::size_t clocks = 1 + stage_free_.size();
  const std::int64_t step = static_cast<std::int64_t>(handed_out_.size());
  for (int rank = 0; rank < settings_.ranks && times > 0; ++rank) {
    ranks_[rank]->repeat(in_flight(rank), period, times, step);
    totals_.most_blocks = std::max(totals_.most_blocks, ranks_[rank]->used_blocks());
  }
  handed_out_.insert(handed_out_.end(), run_.turns.begin(), run_.turns.begin() + times);
  for (std::int64_t at = 0; at < times; ++at) count(run_.steps[at]);
  for (int set = 0; set < period; ++set) {
    const std::vector<Batch>& batches = flights_[depth - period + set].batches;
    const std::int64_t count = visits(times, period, set);
    totals_.steps += count;
    for (const StepShape& shape : shapes_of(batches)) {
      totals_.tokens += count * shape.tokens;
      totals_.executed += count * shape.executed;
      totals_.slices += count * static_cast<std::int64_t>(shape.slices.size());
    }
  }
  for (std::int64_t at = 0; at < times; ++at) {
    record(flights_[depth - period + at % period].batches, static_cast<int>(at / period) + 1,
           run_.steps[at].start, run_.steps[at].end);
  }
  // The steps in flight now are the last ones.
  std::deque<Flight> flights;
  for (std::size_t at = 0; at < depth; ++at) {
    const std::int64_t ahead = times + static_cast<std::int64_t>(at);
    Flight flight;
    if (ahead < static_cast<std::int64_t>(depth)) {
      flight = flights_[ahead];
    } else {
      const std::int64_t repeated = ahead - static_cast<std::int64_t>(depth);
      flight.batches = flights_[depth - period + repeated % period].batches;
      for (Batch& batch : flight.batches) {
        for (Slice& slice : batch) slice.context += static_cast<int>(repeated / period) + 1;
      }
    }
    flight.end = run_.ends[ahead];
    flights.push_back(std::move(flight));
  }
  flights_ = std::move(flights);
  if (wave_) steps_of_wave_ += times;
  host_free_ = run_.clocks[times * clocks];
  std::copy_n(run_.clocks.begin() + static_cast<std::ptrdiff_t>(times * clocks + 1),
              stage_free_.size(), stage_free_.begin());
  wait_for(WaitsFor::kEnd, std::max(host_free_, flights_.front().end));
  run_ = Run();
}

}  // namespace rehearse::serving
