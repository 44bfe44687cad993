#include "replay/replay.hpp"

#include <algorithm>
#include <numeric>
#include <span>

#include "base/error.hpp"
#include "replay/operator_execution.hpp"
#include "replay/rank_costs.hpp"
#include "replay/rank_state.hpp"
#include "replay/rendezvous.hpp"
#include "replay/routed_ranks.hpp"
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
        operators_(costs_, routed_, sink),
        progress_(progress) {
    if (!sink.takes_link_flows()) return;
    network_.observe([&sink](int link, double from, double to, double bytes) {
      sink.link_flow({link, {from}, {to}, {bytes}});
    });
  }

  ReplayCounts run() {
    prepare_ranks();
    engine_.attach(*level_);
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
    if (routed_.totals() != nullptr) sink_.routing(*routed_.totals());
    sink_.links(paths_.link_use());
    sink_.end(makespan_);
    counts_.doubt = level_->doubt();
    return counts_;
  }

  void all_complete(Transfer& transfer, Seconds end) override {
    transfer.complete = true;
    transfer.end = end;
    const Endpoints& ends = rendezvous_.endpoints(transfer.endpoints);
    if (ends.is_message) {
      finish_message(transfer, ends);
      return;
    }
    for (const Rank rank : ends.members) finish_member(transfer, ends, rank, end);
    rendezvous_.release(transfer);
  }

  void member_complete(Transfer& transfer, int member, Seconds end) override {
    const Endpoints& ends = rendezvous_.endpoints(transfer.endpoints);
    finish_member(transfer, ends, ends.members[member], end);
    if (--transfer.left == 0) rendezvous_.release(transfer);
  }

 private:
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

  // ---- the actor of a rank
  // -------------------------------------------------------------------------------------

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
        if (happens(rank, state, instruction)) post(rank, state);
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

  // ---- communication
  // ---------------------------------------------------------------------------------------------

  // A collective or send that the program has reached: it starts when its stream is free and what
  // it waits for is there.
  void post(Rank rank, RankState& state) {
    StreamState& stream = state.stream(state.instruction().stream);
    Queued queued = state.post();
    if (stream.queue.empty() && !stream.busy && queued.wanted.empty()) {
      start(rank, stream, queued.posted);
      return;
    }
    stream.queue.push_back(std::move(queued));
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
      const Posted next = first->queue.front().posted;
      first->queue.pop_front();
      --state.queued;
      start(rank, *first, next);
    }
  }

  void start(Rank rank, StreamState& stream, const Posted& posted) {
    stream.current = posted;
    stream.current.ready = std::max(posted.ready, stream.clock);
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
    const RoutedPlace place{rank, &action, posted.layer, posted.step};
    posted.bytes = transfer.bytes[member] = bring(place, instruction, transfer, member);
    ++transfer.arrived;
    level_->arrive(transfer, rendezvous_.endpoints(transfer.endpoints), member, posted.ready);
  }

  // The rank's send buffer, and in the transfer how it splits.
  Bytes bring(const RoutedPlace& place, const Instruction& instruction, Transfer& transfer,
              int member) {
    const bool routed = instruction.routed >= 0;
    const bool routes = routed && instruction.op == CollectiveOp::kAllToAll;
    const bool splits = instruction.splits >= 0 || routes;
    SIM_CHECK(transfer.arrived == 0 || splits != transfer.splits.empty(),
              "some members of an all_to_all split evenly and some do not");
    if (!splits) {
      return routed ? routed_.work(place, instruction).bytes
                    : Bytes{instruction.bytes.at(place.step)};
    }
    const std::size_t members = transfer.bytes.size();
    transfer.splits.resize(members * members);
    const std::span<Bytes> row(&transfer.splits[member * members], members);
    if (routes) {
      routed_.split(place, instruction, row);
    } else {
      const std::vector<Bytes>& written =
          programs_.pass_of(*place.action).splits[instruction.splits];
      SIM_CHECK(written.size() == members, "splits name as many members as the group has");
      std::copy(written.begin(), written.end(), row.begin());
    }
    return std::accumulate(row.begin(), row.end(), Bytes{});
  }

  void receive(Rank rank, RankState& state) {
    const Posted posted = state.post().posted;
    Transfer* const arrived = rendezvous_.next_receive(rank, posted);
    if (arrived != nullptr) finish_receive(*arrived, rank, posted);
  }

  void finish_message(Transfer& transfer, const Endpoints& ends) {
    finish_member(transfer, ends, ends.members[0], transfer.end);
    Posted posted;
    if (rendezvous_.take_receive(transfer, posted))
      finish_receive(transfer, ends.members[1], posted);
  }

  void finish_receive(Transfer& transfer, Rank rank, const Posted& posted) {
    rendezvous_.check_received(transfer, posted);
    complete(rank, posted, transfer, transfer.start, transfer.end);
    rendezvous_.release(transfer);
  }

  void finish_member(Transfer& transfer, const Endpoints& ends, Rank rank, Seconds end) {
    RankState& state = ranks_[rank];
    StreamState& stream = state.stream(ends.stream);
    const Posted posted = stream.current;
    stream.busy = false;
    stream.clock = end;
    complete(rank, posted, transfer, posted.ready, end);
  }

  void complete(Rank rank, const Posted& posted, const Transfer& transfer, Seconds ready,
                Seconds end) {
    RankState& state = ranks_[rank];
    const PassProgram& pass = programs_.pass_of(*posted.action);
    Span span;
    span.rank = rank;
    span.action = static_cast<int>(posted.action - state.program->actions.data());
    span.instruction = static_cast<int>(posted.instruction - pass.instructions.data());
    span.layer = posted.layer;
    span.step = posted.step;
    span.position = posted.position;
    span.order = posted.order;
    span.ready = ready;
    span.start = transfer.start;
    span.end = end;
    span.transfer = transfer.id;
    span.algorithm = transfer.algorithm;
    if (posted.instruction->routed >= 0) {
      span.routed = true;
      span.bytes = posted.bytes;
    }
    makespan_ = std::max(makespan_, end);
    ++counts_.rank_operations;
    sink_.span(span);
    state.close(posted, transfer.start, end);
    if (state.queued > 0) start_queued(rank);
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
  OperatorExecution operators_;
  std::vector<RankState> ranks_;
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
