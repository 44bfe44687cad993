// The loop of an engine: schedule, run the step, hand out tokens; of one rank, or of several that
// step together because they share experts.
//
// The host is one thread. It schedules a step, which costs it time, and the step starts when the
// host and the stage before are ready. While fewer steps are in flight than the engine takes (one
// for each stage, two with asynchronous scheduling), it schedules the next; else it waits for the
// oldest, hands out its tokens, and goes on (vllm/v1/engine/core.py, step_with_batch_queue;
// SGLang's event_loop_overlap).
//
// A run of steps whose batch does not change is one event: the scheduler says how often it would
// decide the same (Scheduler::repeats), the dates are worked out one behind the other, and all else
// is done once. Who arrives meanwhile cuts the run where the step-by-step loop would have seen him.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "serving/scheduler.hpp"
#include "serving/step_price.hpp"

namespace rehearse::serving {

// Which steps are written down: those that have a part in it.
struct LogSpan {
  Picoseconds from = kNever;
  Picoseconds until = kNever;

  bool has(Picoseconds start, Picoseconds end) const {
    return start < until && (end > from || start >= from);
  }
};
inline constexpr LogSpan kWholeRun = {0, kNever};

// A step, or steps that repeat it, for the log and for averages over time.
struct StepRecord {
  Picoseconds start = 0;
  Picoseconds end = 0;
  int rank = 0;
  Batch batch;
};

struct EngineTotals {
  std::int64_t steps = 0;        // dummy steps with them
  std::int64_t dummy_steps = 0;  // nobody had work
  std::int64_t events = 0;       // passes of the schedulers
  Picoseconds busy = 0;          // of the first stage
  StepParts parts;
  std::int64_t tokens = 0;    // computed, drafts with them
  std::int64_t executed = 0;  // with padding
  std::int64_t slices = 0;    // requests, summed over the steps
  int most_blocks = 0;        // in use after a pass, of the fullest rank
};

class Engine {
 public:
  Engine(const EngineSettings& settings, Requests& requests, StepPrice& price, LogSpan logged);

  const Scheduler& scheduler(int rank) const { return *ranks_[rank]; }
  Scheduler& scheduler(int rank) { return *ranks_[rank]; }
  bool has_work() const;

  // What it does next by itself, one at a time: a step ends (then nobody arrives in between), or it
  // schedules.
  Picoseconds next_end() const { return waits_for_ == WaitsFor::kEnd ? next_ : kNever; }
  Picoseconds next_schedule() const { return waits_for_ == WaitsFor::kTurn ? next_ : kNever; }

  void arrived(int request, int rank, Picoseconds now);
  // Prefill and decode apart: see Scheduler.
  void received(int request, int rank, Picoseconds now);
  void let_go(int request, int rank, Picoseconds now);
  void no_more_come(Picoseconds now);
  // At next_end(): appends who has all his tokens.
  void end_step(std::vector<int>& finished);
  // What was in the step that ended last, by rank; nothing where the last event was a run's.
  const std::vector<Batch>& ended() const { return ended_; }
  // At next_schedule().
  void schedule();
  // A run that is under way is done as far as it is by now, so that the schedulers show it.
  void settle(Picoseconds now);

  // When the tokens of each step were handed out.
  const std::vector<Picoseconds>& handed_out() const { return handed_out_; }
  const std::vector<StepRecord>& log() const { return log_; }
  // Busy times up to `end`: an asynchronous engine schedules a step before it hears that nobody
  // wants it, and after the last request that step is nobody's.
  EngineTotals totals_until(Picoseconds end) const;

 private:
  enum class WaitsFor { kArrival, kTurn, kEnd };
  struct Flight {
    std::vector<Batch> batches;  // by rank
    Picoseconds end = 0;
  };
  struct Ran {
    Picoseconds start = 0;  // in the first stage
    Picoseconds end = 0;    // in the last
    Picoseconds busy = 0;   // the first stage
    StepParts parts = {};
  };
  // Steps that repeat those in flight: `times` at most, of which some are worked out.
  struct Run {
    int period = 0;
    std::int64_t most = 0;
    std::vector<Picoseconds> turns;  // when each was scheduled, and the one before handed out
    std::vector<Ran> steps;
    std::vector<Picoseconds> ends;    // of those in flight before, then its own
    std::vector<Picoseconds> clocks;  // after each: the host's, then each stage's
  };

  void wait_for(WaitsFor what, Picoseconds when);
  void wake(Picoseconds now);
  Picoseconds host_time(const std::vector<Batch>& batches) const;
  // Runs a step from `turn` on; moves host_free_ and stage_free_.
  Ran run_step(const std::vector<StepShape>& shapes, Picoseconds turn, Picoseconds host);
  void count(const Ran& step);
  std::vector<Batch> next_batches();
  bool takes_time(const std::vector<Batch>& batches) const;
  void launch(std::vector<Batch>&& batches, Picoseconds now);
  void record(const std::vector<Batch>& batches, int grown, Picoseconds start, Picoseconds end);
  void go_on(Picoseconds now);
  void begin_run();
  void extend_run();
  // Does the first `times` steps of the run and forgets the rest.
  void close_run(std::int64_t times);
  std::vector<const Batch*> in_flight(int rank) const;
  std::vector<StepShape> shapes_of(const std::vector<Batch>& batches) const;

  const EngineSettings& settings_;
  Requests& requests_;
  StepPrice& price_;
  const LogSpan logged_;
  std::vector<std::unique_ptr<Scheduler>> ranks_;

  WaitsFor waits_for_ = WaitsFor::kArrival;
  Picoseconds next_ = 0;
  Picoseconds host_free_ = 0;
  std::vector<Picoseconds> stage_free_;
  std::deque<Flight> flights_;
  std::vector<Batch> ended_;
  Run run_;
  std::int64_t steps_of_wave_ = 0;
  bool wave_ = false;  // ranks that step together go on
  std::vector<Picoseconds> handed_out_;
  std::vector<StepRecord> log_;
  EngineTotals totals_;
  std::vector<Ran> last_;  // steps: the newest, as many as may be in flight
  std::int64_t counted_ = 0;
};

}  // namespace rehearse::serving
