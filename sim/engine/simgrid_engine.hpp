// SimGrid boundary 2: the clock, the event loop and one actor per rank. Everything else in this
// stage speaks to SimGrid through this class. REQUIRES: a Cluster is loaded (it owns SimGrid's
// engine); one SimgridEngine per process.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/units.hpp"
#include "cluster/cluster.hpp"

namespace rehearse {

// Events of a network model, driven by SimGrid's event loop.
class EventSource {
 public:
  virtual ~EventSource() = default;
  virtual Seconds next_event(Seconds now) = 0;  // infinity: none
  virtual void run_events(Seconds until) = 0;   // every event dated at or before `until`
};

// Nothing can happen any more although actors have not ended.
class Deadlock : public InternalError {
 public:
  using InternalError::InternalError;
};

class SimgridEngine {
 public:
  explicit SimgridEngine(const Platform& platform);
  ~SimgridEngine();

  Seconds now() const;
  void attach(EventSource& source);  // before run(); outlives it

  // A new actor on the GPU's host. `body` gets its index, because an actor spawned by another may
  // run before spawn returns. An exception that leaves `body` ends the simulation and comes out of
  // run().
  int spawn(int gpu, std::function<void(int self)> body);
  void resume(int actor);

  // From inside an actor:
  void suspend_self();
  void sleep_until(Seconds date);
  // Sends a message over SimGrid's own network model, which has no latencies here, and returns when
  // it has arrived. `via`: a GPU that passes it on while it arrives, or kNoGpu.
  static constexpr int kNoGpu = -1;
  void send(int from_gpu, int to_gpu, int via, Bytes bytes);

  // Runs `code` on the main stack: actors' stacks are too small for libraries.
  void on_main_stack(const std::function<void()>& code);

  // Until every actor has ended. Throws Deadlock, or what left an actor.
  void run();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rehearse
