#include "replay/replay.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "replay/operator_execution.hpp"
#include "replay/rank_costs.hpp"
#include "replay/rank_state.hpp"
#include "replay/rank_wakes.hpp"
#include "replay/rendezvous.hpp"
#include "replay/routed_ranks.hpp"
#include "replay/shared_units.hpp"
#include "replay/time_estimate.hpp"
#include "replay/waiting.hpp"

namespace rehearse {
namespace {

class Replay : public TransferObserver {
 public:
  Replay(const Programs& programs, Cluster& cluster, NetworkLevelName level, TimelineSink& sink,
         const std::vector<int>& sharers, ProgressCounter* progress)
      : programs_(programs),
        sink_(sink),
        costs_(programs, cluster.platform()),
        paths_(cluster, network_,
               level == NetworkLevelName::kAnalytic ? std::vector<int>{} : sharers),
        engine_(cluster.platform()),
        level_(make_network_level(level, {engine_, network_, paths_, *this})),
        rendezvous_(programs, cluster.platform()),
        routed_(programs),
        shared_(programs, cluster.platform(), paths_,
                [this](Rank rank, Seconds date) {
                  wakes_.wake_at(rank, programs_.ranks[rank].gpu, date);
                }),
        operators_(costs_, routed_, shared_, sink),
        wakes_(engine_, *level_, level, [this](Rank rank, Seconds date) { wake(rank, date); }),
        progress_(progress) {
    if (!sink.takes_link_flows()) return;
    network_.observe([&sink](int link, double from, double to, double bytes) {
      sink.link_flow({link, {from}, {to}, {bytes}});
    });
  }

  ReplayCounts run() {
    prepare_ranks();
    engine_.attach(wakes_);
    sink_.begin(programs_);
    for (Rank rank = 0; rank < size(); ++rank) start_memory(rank);
    for (Rank rank = 0; rank < size(); ++rank) {
      engine_.spawn(programs_.ranks[rank].gpu, [this, rank](int self) { run_actor(rank, self); });
    }
    try {
      engine_.run();
    } catch (const Deadlock&) {
      throw Deadlock(describe_waiting(programs_, ranks_));
    }
    SIM_CHECK(static_cast<double>(counts_.rank_operations) == count_work(programs_).operations,
              "every rank has executed its program, no more and no less");
    if (routed_.totals() != nullptr) sink_.routing(*routed_.totals());
    sink_.links(paths_.link_use());
    sink_.end(makespan_);
    counts_.doubt = level_->doubt();
    return counts_;
  }

  void all_complete(Transfer& transfer, Seconds end) override {
    transfer.complete = true;
    transfer.end = end;
    const Endpoints& ends = *transfer.ends;
    if (ends.is_message) {
      finish_message(transfer, ends);
      return;
    }
    for (const Rank rank : ends.members) finish_member(transfer, ends, rank, end);
    rendezvous_.release(transfer);
  }

  void member_complete(Transfer& transfer, int member, Seconds end) override {
    const Endpoints& ends = *transfer.ends;
    finish_member(transfer, ends, ends.members[member], end);
    if (--transfer.left == 0) rendezvous_.release(transfer);
  }

 private:
  // An operator beside collectives has come to its end, or to where its rate changes.
  void wake(Rank rank, Seconds date) {
    if (ranks_[rank].blocked_on != RankState::kBeside) return;
    if (shared_.is_due(rank, date)) follow(rank, date);
  }

  void follow(Rank rank, Seconds now) {
    if (!operators_.follow(rank, ranks_[rank], now)) return;
    ++counts_.rank_operations;
    advance(rank);
  }

  int size() const { return static_cast<int>(programs_.ranks.size()); }

  void prepare_ranks() {
    ranks_.resize(size());
    for (Rank rank = 0; rank < size(); ++rank) {
      RankState& state = ranks_[rank];
      state.program = &programs_.of(rank);
      state.costs = costs_.of(rank);
      state.slots.resize(state.program->slots);
      state.enter_loop(0);
    }
  }

  void start_memory(Rank rank) {
    const Program& program = *ranks_[rank].program;
    sink_.memory({rank, MemoryCategory::kWeights, {}, program.weights});
    sink_.memory({rank, MemoryCategory::kCommunicationBuffers, {}, program.communication_buffers});
  }

  // ---- the actor of a rank ----

  // The actor begins its rank's program and ends it. In between it is suspended while the program
  // waits for a transfer, and the event that completes the transfer goes on with the program in its
  // place: a switch of contexts costs more than all else that a rank-operation needs. The program
  // runs on the main stack, so that actors' stacks can be small.
  void run_actor(Rank rank, int self) {
    engine_.on_main_stack([this, rank] { advance(rank); });
    RankState& state = ranks_[rank];
    while (!state.ended) {
      state.actor = self;
      engine_.suspend_self();
    }
  }

  // Executes instructions until one waits for a transfer that is not complete, or all are done.
  void advance(Rank rank) {
    RankState& state = ranks_[rank];
    state.blocked_on = RankState::kNotBlocked;
    while (state.has_actions()) {
      if (state.called == nullptr) begin_action(rank, state);
      while (!state.pass->is_over(state.cursor)) {
        execute(rank, state);
        if (state.blocked_on != RankState::kNotBlocked) return;
      }
      if (state.pass->is_pass) operators_.end_pass(rank, state);
      state.next_action();
      tell_progress();
    }
    if (state.in_flight > 0) {
      state.blocked_on = RankState::kDraining;
      return;
    }
    state.ended = true;
    makespan_ = std::max(makespan_, state.clock);
    if (state.actor >= 0) engine_.resume(state.actor);
  }

  void begin_action(Rank rank, RankState& state) {
    state.called = &state.program->actions[state.action];
    state.pass = &programs_.pass_of(*state.called);
    state.cursor = state.pass->first();
    state.begun = state.order;
    if (state.pass->is_pass) operators_.begin_pass(rank, state);
  }

  // Once an action: nothing beside its instructions.
  void tell_progress() {
    if (progress_ == nullptr) return;
    progress_->done.store(counts_.rank_operations, std::memory_order_relaxed);
  }

  // The instruction at the cursor, and perhaps those behind it.
  void execute(Rank rank, RankState& state) {
    const Instruction& instruction = state.instruction();
    switch (instruction.kind) {
      case Instruction::Kind::kCompute:
        counts_.rank_operations += operators_.execute(rank, state);
        return;
      case Instruction::Kind::kReceive:
        receive(rank, state);
        break;
      case Instruction::Kind::kCollective:
        if (happens(rank, state, instruction)) {
          post(rank, state);
        } else {
          ++counts_.rank_operations;
        }
        break;
      case Instruction::Kind::kSend:
        post(rank, state);
        break;
    }
    state.advance();
  }

  bool happens(Rank rank, const RankState& state, const Instruction& instruction) {
    return instruction.routed < 0 ||
           routed_.happens({rank, state.called, state.layer(), state.step}, instruction);
  }

  // ---- communication ----

  // A collective or send that the program has reached: it starts when its stream is free and what
  // it waits for is there.
  void post(Rank rank, RankState& state) {
    StreamState& stream = state.stream(state.instruction().stream);
    std::vector<Wanted> wanted = state.wanted();
    if (stream.queue.empty() && !stream.busy && wanted.empty()) {
      state.post(stream.current);
      start(rank, stream);
      return;
    }
    Queued& queued = stream.queue.emplace_back();
    state.post(queued.posted);
    queued.wanted = std::move(wanted);
    ++state.queued;
  }

  // Starts what is next on its stream, when that is free and what it waits for is there; of several
  // streams, what was posted first.
  void start_queued(Rank rank) {
    RankState& state = ranks_[rank];
    for (;;) {
      StreamState* first = nullptr;
      for (StreamState& stream : state.streams) {
        if (stream.busy || stream.queue.empty() || !stream.queue.front().wanted.empty()) continue;
        const std::int64_t order = stream.queue.front().posted.order;
        if (first == nullptr || order < first->queue.front().posted.order) first = &stream;
      }
      if (first == nullptr) return;
      first->current = first->queue.front().posted;
      first->queue.pop_front();
      --state.queued;
      start(rank, *first);
    }
  }

  void start(Rank rank, StreamState& stream) {
    stream.current.ready = std::max(stream.current.ready, stream.clock);
    stream.busy = true;
    arrive(rank, stream.current);
  }

  void arrive(Rank rank, Posted& posted) {
    const Action& action = *posted.action;
    const Instruction& instruction = *posted.instruction;
    int member = 0;
    Transfer& transfer = instruction.kind == Instruction::Kind::kSend
                             ? rendezvous_.next_send(rank, action, instruction)
                             : rendezvous_.next_collective(rank, instruction, action.about, member);
    if (transfer.arrived == 0) {
      transfer.id = counts_.transfers++;
      transfer.start = posted.ready;
    }
    transfer.start = std::max(transfer.start, posted.ready);
    transfer.fan_out = instruction.fan_out;
    ranks_[rank].stream(instruction.stream).on = transfer.ends;
    const RoutedPlace place{rank, &action, posted.layer, posted.step};
    posted.bytes = transfer.bytes[member] = routed_.bring(place, instruction, transfer, member);
    ++transfer.arrived;
    level_->arrive(transfer, *transfer.ends, member, posted.ready);
  }

  void receive(Rank rank, RankState& state) {
    Posted posted;
    state.post(posted);
    Transfer* const arrived = rendezvous_.next_receive(rank, posted);
    if (arrived != nullptr) finish_receive(*arrived, rank, posted);
  }

  void finish_message(Transfer& transfer, const Endpoints& ends) {
    finish_member(transfer, ends, ends.members[0], transfer.end);
    const Rank to = ends.members[1];
    ranks_[to].arrivals.push_back({transfer.id, transfer.start, transfer.end, {}, false});
    Posted posted;
    if (rendezvous_.take_receive(transfer, posted)) finish_receive(transfer, to, posted);
  }

  // A message has arrived and its receive is posted. Messages of several lanes may be received in
  // another order than that in which they arrive, and are reported in this.
  void finish_receive(Transfer& transfer, Rank rank, const Posted& posted) {
    rendezvous_.check_received(transfer, posted);
    RankState& state = ranks_[rank];
    const auto arrival = std::find_if(state.arrivals.begin(), state.arrivals.end(),
                                      [&](const Arrival& each) { return each.id == transfer.id; });
    SIM_CHECK(arrival != state.arrivals.end(), "a message arrives before it is received");
    arrival->posted = posted;
    arrival->received = true;
    for (; !state.arrivals.empty() && state.arrivals.front().received; state.arrivals.pop_front()) {
      const Arrival& next = state.arrivals.front();
      report(rank, next.posted, {next.id, next.start, next.start, next.end, nullptr});
    }
    const Seconds start = transfer.start;
    const Seconds end = transfer.end;
    rendezvous_.release(transfer);
    go_on(rank, posted, start, end);
  }

  void finish_member(Transfer& transfer, const Endpoints& ends, Rank rank, Seconds end) {
    RankState& state = ranks_[rank];
    StreamState& stream = state.stream(ends.stream);
    const Posted posted = stream.current;
    stream.busy = false;
    stream.clock = end;
    report(rank, posted, {transfer.id, posted.ready, transfer.start, end, transfer.path});
    go_on(rank, posted, transfer.start, end);
  }

  // Of a transfer, as one of its ranks sees it.
  struct Took {
    std::int64_t transfer = -1;
    Seconds ready;
    Seconds start;
    Seconds end;
    const TransferPath* path = nullptr;
  };

  void report(Rank rank, const Posted& posted, const Took& took) {
    const PassProgram& pass = programs_.pass_of(*posted.action);
    Span span;
    span.rank = rank;
    span.action = static_cast<int>(posted.action - ranks_[rank].program->actions.data());
    span.instruction = static_cast<int>(posted.instruction - pass.instructions.data());
    span.executed = posted.instruction;
    span.layer = posted.layer;
    span.step = posted.step;
    span.position = posted.position;
    span.order = posted.order;
    span.ready = took.ready;
    span.start = took.start;
    span.end = took.end;
    span.transfer = took.transfer;
    span.path = took.path;
    if (posted.instruction->routed >= 0) {
      span.routed = true;
      span.bytes = posted.bytes;
    }
    makespan_ = std::max(makespan_, took.end);
    ++counts_.rank_operations;
    sink_.span(span);
  }

  // The rank's part in a transfer is complete: what waits for it goes on.
  void go_on(Rank rank, const Posted& posted, Seconds start, Seconds end) {
    RankState& state = ranks_[rank];
    state.close(posted, start, end);
    if (state.queued > 0) start_queued(rank);
    if (state.blocked_on == RankState::kBeside) {
      follow(rank, end);
      return;
    }
    const bool wakes = state.blocked_on == RankState::kDraining
                           ? state.in_flight == 0
                           : state.blocked_on >= 0 && !state.slots[state.blocked_on].pending;
    if (wakes) advance(rank);
  }

  const Programs& programs_;
  TimelineSink& sink_;
  RankCosts costs_;
  FluidNetwork network_;
  Paths paths_;
  SimgridEngine engine_;
  std::unique_ptr<NetworkLevel> level_;
  Rendezvous rendezvous_;
  RoutedRanks routed_;
  SharedUnits shared_;
  OperatorExecution operators_;
  std::vector<RankState> ranks_;
  RankWakes wakes_;
  Seconds makespan_;
  ReplayCounts counts_;
  ProgressCounter* progress_;
};

}  // namespace

ReplayCounts replay(const Programs& programs, Cluster& cluster, NetworkLevelName level,
                    TimelineSink& sink, const std::vector<int>& sharers,
                    ProgressCounter* progress) {
  return Replay(programs, cluster, level, sink, sharers, progress).run();
}

}  // namespace rehearse
