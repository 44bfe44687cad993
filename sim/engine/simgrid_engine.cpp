#include "engine/simgrid_engine.hpp"

#include <xbt/log.h>

#include <cmath>
#include <exception>
#include <limits>
#include <simgrid/kernel/resource/Model.hpp>
#include <simgrid/s4u.hpp>
#include <simgrid/simix.hpp>
#include <utility>

namespace rehearse {
namespace {

namespace s4u = simgrid::s4u;

// Dates that differ by rounding only are one: what happens then is solved once.
Seconds with_rounding(Seconds date) {
  return {date.value + 8 * std::numeric_limits<double>::epsilon() * date.value};
}

// Actors that events have resumed: at the date at which SimGrid arrives next.
struct Resumed {
  bool ahead = false;  // events run before SimGrid's clock has reached them
  std::vector<s4u::ActorPtr> actors;
};

// Events run as soon as SimGrid asks for the date of the next one, up to the first that resumes an
// actor; only that date is told, and there the actor goes on. A step of SimGrid's loop costs more
// than an event, and nothing of its own can happen in between: a level either has events here or
// runs on SimGrid's network.
class SourceModel : public simgrid::kernel::resource::Model {
 public:
  SourceModel(EventSource& source, Resumed& resumed, const std::exception_ptr& failure)
      : Model("rehearse"), source_(source), resumed_(resumed), failure_(failure) {}

  double next_occurring_event(double now) override {
    if (failure_) return -1;  // the actors that events would wake have been killed
    // SimGrid's clock is the sum of the steps it took, so it may miss a date by a few units in the
    // last place.
    date_ = std::max(date_, Seconds{now});
    resumed_.ahead = true;
    while (resumed_.actors.empty()) {
      const Seconds next = source_.next_event(date_);
      if (std::isinf(next.value)) break;
      date_ = std::max(date_, next);
      source_.run_events(with_rounding(date_));
    }
    resumed_.ahead = false;
    return resumed_.actors.empty() ? -1 : std::max(0.0, date_.value - now);
  }

  void update_actions_state(double /*now*/, double /*delta*/) override {
    for (const s4u::ActorPtr& actor : std::exchange(resumed_.actors, {})) actor->resume();
  }

 private:
  EventSource& source_;
  Resumed& resumed_;
  const std::exception_ptr& failure_;
  Seconds date_;
};

}  // namespace

struct SimgridEngine::State {
  explicit State(const Platform& of) : platform(of) {}

  // Looked up when it is wanted first: of a folded plan few are.
  s4u::Host* host(int gpu, bool port) {
    s4u::Host*& known = hosts[2 * static_cast<std::size_t>(gpu) + (port ? 1 : 0)];
    if (known == nullptr) {
      known = engine->host_by_name(port ? platform.gpus[gpu].port : platform.gpus[gpu].host);
    }
    return known;
  }

  const Platform& platform;
  s4u::Engine* engine = s4u::Engine::get_instance();
  std::vector<s4u::Host*> hosts;  // 2 x GPU its host, 2 x GPU + 1 its port; null: not wanted yet
  std::vector<s4u::ActorPtr> actors;  // by index; ended ones are null and their index is used again
  std::vector<int> free_actors;
  Resumed resumed;
  std::exception_ptr failure;
  int running = 0;
};

SimgridEngine::SimgridEngine(const Platform& platform) : state_(std::make_unique<State>(platform)) {
  state_->hosts.resize(2 * platform.gpus.size());
}

SimgridEngine::~SimgridEngine() = default;

Seconds SimgridEngine::now() const { return {s4u::Engine::get_clock()}; }

void SimgridEngine::attach(EventSource& source) {
  state_->engine->add_model(
      std::make_shared<SourceModel>(source, state_->resumed, state_->failure));
}

int SimgridEngine::spawn(int gpu, std::function<void(int self)> body) {
  int index = 0;
  if (state_->free_actors.empty()) {
    index = static_cast<int>(state_->actors.size());
    state_->actors.emplace_back();
  } else {
    index = state_->free_actors.back();
    state_->free_actors.pop_back();
  }
  ++state_->running;
  const auto run = [state = state_.get(), index, body = std::move(body)] {
    try {
      body(index);
    } catch (const simgrid::ForcefulKillException&) {
      throw;  // SimGrid ends the actor with it
    } catch (...) {
      if (!state->failure) state->failure = std::current_exception();
    }
    --state->running;
    // Not inside catch: it switches to another actor, and the exceptions being handled are one
    // stack for all of them.
    if (state->failure) s4u::Actor::kill_all();
    state->actors[index] = nullptr;
    state->free_actors.push_back(index);
  };
  state_->actors[index] = s4u::Actor::create("rank", state_->host(gpu, /*port=*/false), run);
  return index;
}

void SimgridEngine::resume(int actor) {
  if (state_->resumed.ahead) {
    state_->resumed.actors.push_back(state_->actors[actor]);
  } else {
    state_->actors[actor]->resume();
  }
}

void SimgridEngine::suspend_self() { s4u::this_actor::suspend(); }

void SimgridEngine::sleep_until(Seconds date) {
  if (date.value > s4u::Engine::get_clock()) s4u::this_actor::sleep_until(date.value);
}

void SimgridEngine::send(int from_gpu, int to_gpu, int via, Bytes bytes) {
  const std::vector<Gpu>& gpus = state_->platform.gpus;
  const auto size = static_cast<uint64_t>(std::llround(bytes.value));
  const auto ends = [&](int from, int to) {
    const bool scale_up = joined_by_ports(gpus[from], gpus[to]);
    return std::pair(state_->host(from, scale_up), state_->host(to, scale_up));
  };
  if (via == kNoGpu) {
    const auto [from, to] = ends(from_gpu, to_gpu);
    s4u::Comm::sendto(from, to, size);
    return;
  }
  const auto [from, between] = ends(from_gpu, via);
  const auto [between_on, to] = ends(via, to_gpu);
  const s4u::CommPtr first = s4u::Comm::sendto_async(from, between, size);
  s4u::Comm::sendto(between_on, to, size);
  first->wait();
}

void SimgridEngine::on_main_stack(const std::function<void()>& code) {
  simgrid::kernel::actor::simcall_answered(code);
}

void SimgridEngine::run() {
  // run() would only log a deadlock, kill the actors and return. Its log line names SimGrid's
  // actors; Deadlock says it in the user's terms.
  xbt_log_control_set("ker_engine.add:0 ker_engine.app:file:/dev/null");
  bool stuck = false;
  s4u::Engine::on_deadlock_cb([&stuck] {
    stuck = true;
    throw Deadlock("deadlock");
  });
  try {
    state_->engine->run();
  } catch (const Deadlock&) {
    if (!state_->failure) throw;
  }
  if (state_->failure) std::rethrow_exception(state_->failure);
  if (stuck || state_->running > 0) throw Deadlock("deadlock");
}

}  // namespace rehearse
